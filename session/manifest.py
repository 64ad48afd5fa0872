"""The list of all that was said with a caller's voice, signed part by part.

Each part names the signature of the one before it: none can be changed, moved or taken out of the
middle unseen. That the last parts of a call were taken away cannot be seen.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import structlog
from pydantic import FiniteFloat, ValidationError

from session.memories import UserMemory
from session.signing import Signed, Signing
from session.storable import storable
from session.store.protocol import Memories
from session.voice_of_user import text_of
from session.voice_records import Utterance

log = structlog.get_logger(__name__)

SKILL = "june/manifest"
"""No skill can have this name."""

MOST_UTTERANCES = 35
"""In one part; of up to ten consents they fit in a text that the store keeps."""


class Part(Signed):
    """Some utterances of a call, short enough to be kept."""

    purpose: ClassVar[str] = "manifest"
    user: str
    call_id: str
    part: int
    previous: str
    """The signature of the part before it; empty for a first one."""
    consents: tuple[str, ...]
    said: tuple[tuple[FiniteFloat, int, str], ...]
    """When, the place of its consent in `consents`, and the SHA-256 in hex."""

    @property
    def utterances(self) -> tuple[Utterance, ...]:
        return tuple(
            Utterance(at=at, consent_id=self.consents[which], sha256=sha256)
            for at, which, sha256 in self.said
        )


@dataclass(frozen=True)
class Summary:
    """What a receipt says of a manifest."""

    parts: int
    utterances: int
    digest: str


class Manifest:
    """Of one user, over all calls. Holds nothing itself; every method may raise `StoreError`."""

    def __init__(
        self, memories: Memories, user: str, signing: Signing, now: Callable[[], float]
    ) -> None:
        self._memory = UserMemory(memories, user, SKILL, now)
        self._user = user
        self._signing = signing

    async def write(self, call_id: str, part: int, utterances: Sequence[Utterance]) -> None:
        """Instead of what was in this part.

        Raises:
            MemoryFull: there are 100 parts of this user's.
            TextTooLong: there are more than 35, or they are of very many consents.
        """
        call_id = storable(call_id)
        before = (await self._parts()).get((call_id, part - 1))
        consents = sorted({one.consent_id for one in utterances})
        written = Part(
            user=self._user,
            call_id=call_id,
            part=part,
            previous="" if before is None else before.signature,
            consents=tuple(consents),
            said=tuple(
                (round(one.at, 3), consents.index(one.consent_id), one.sha256) for one in utterances
            ),
        )
        await self._memory.put(_place_of(call_id, part), text_of(self._signing.sign(written)))

    async def take(self, call_id: str, part: int) -> None:
        await self._memory.take(_place_of(storable(call_id), part))

    async def utterances(self) -> tuple[Utterance, ...]:
        """Call by call, in the order in which they were listed; without what is not as written."""
        parts = await self._parts()
        found: list[Utterance] = []
        for (call_id, number), part in sorted(parts.items()):
            before = parts.get((call_id, number - 1))
            if part.previous == ("" if before is None else before.signature):
                found += part.utterances
            else:
                log.warning("voice.refused", what="manifest", reason="order")
        return tuple(found)

    async def summary(self) -> Summary:
        texts = await self._memory.all()
        digest = hashlib.sha256("\n".join(texts.values()).encode()).hexdigest() if texts else ""
        return Summary(len(texts), len(await self.utterances()) if texts else 0, digest)

    async def take_all(self) -> None:
        for key in await self._memory.all():
            await self._memory.take(key)

    async def _parts(self) -> dict[tuple[str, int], Part]:
        """What this June has signed, of this user and under its own key."""
        found = {}
        for key, text in (await self._memory.all()).items():
            try:
                part = Part.model_validate_json(text)
            except ValidationError:
                log.warning("voice.refused", what="manifest", reason="unreadable")
                continue
            place = _place_of(part.call_id, part.part)
            if key == place and part.user == self._user and self._signing.holds(part):
                found[part.call_id, part.part] = part
            else:
                log.warning("voice.refused", what="manifest", reason="signature")
        return found


def _place_of(call_id: str, part: int) -> str:
    return f"{call_id}/{part:04}"
