"""Receipts of deleted voices, by the day; the store keeps them for a year."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from session.errors import MemoryFull
from session.fleet_list import FleetList
from session.signing import Signing
from session.store.protocol import Memories
from session.voice_records import Kind, Receipt, WhyDeleted

log = structlog.get_logger(__name__)


class Receipts:
    """Holds nothing itself. Every method may raise `StoreError`."""

    def __init__(self, memories: Memories, signing: Signing, now: Callable[[], float]) -> None:
        self._memories = memories
        self._signing = signing
        self._now = now

    async def keep(
        self,
        subject: str,
        *,
        why: WhyDeleted,
        removed: tuple[Kind, ...],
        utterances: int,
        manifest_digest: str,
    ) -> Receipt:
        """That all of it was found to be gone. Of one subject the first receipt stands.

        The deletion is done, so a day with more receipts than are kept only loses this one.
        """
        earlier = await self.find(subject)
        if earlier is not None:
            return earlier
        receipt = self._signing.sign(
            Receipt(
                receipt_id=self._signing.name_for(subject),
                at=self._now(),
                why=why,
                removed=removed,
                utterances=utterances,
                manifest_digest=manifest_digest,
                verified=True,
            )
        )
        try:
            await self._of(_day(receipt.at)).put(receipt.receipt_id, receipt)
        except MemoryFull:
            log.error("voice.receipt_lost", why=why, removed=removed, utterances=utterances)
        return receipt

    async def find(self, subject: str) -> Receipt | None:
        """The one of today or yesterday: longer ago nobody asks for it a second time."""
        now = datetime.fromtimestamp(self._now(), UTC)
        for at in (now, now - timedelta(days=1)):
            receipt = await self._of(_day(at.timestamp())).get(self._signing.name_for(subject))
            if receipt is not None and self._signing.holds(receipt):
                return receipt
        return None

    async def of_day(self, day: str) -> tuple[Receipt, ...]:
        """The ones that June has signed, oldest first; `day` as `2026-01-31`, in UTC."""
        found = (await self._of(day).all()).values()
        held = [one for one in found if self._signing.holds(one)]
        if len(held) < len(found):
            log.warning("voice.refused", what="receipt", reason="signature")
        return tuple(sorted(held, key=lambda one: (one.at, one.receipt_id)))

    def _of(self, day: str) -> FleetList[Receipt]:
        return FleetList(self._memories, f"june/receipts/{day}", Receipt, self._now)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
