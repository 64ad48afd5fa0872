"""The manifest of a call: each utterance in a caller's voice, listed and signed as it is said."""

import asyncio
from collections.abc import Callable

import structlog

from session import MemoryFull, NoConsent, Session, StoreError, TextTooLong
from session.manifest import MOST_UTTERANCES
from session.voice_records import Utterance
from session.voices import Voices

log = structlog.get_logger(__name__)

CLOSE_SECONDS = 5.0
RETRY_SECONDS = 1.0


class CallManifest:
    """Lives as long as one call. Speech does not wait for it; its one task writes in order."""

    def __init__(
        self, voices: Voices, session: Session, call_id: str, *, on_full: Callable[[], None]
    ) -> None:
        """`on_full` is called where no more can be listed, so that no more may be said."""
        self._voices = voices
        self._session = session
        self._call_id = call_id
        self._on_full = on_full
        self._listed: list[Utterance] = []
        self._written = 0
        self._changed = asyncio.Event()
        self._writing = asyncio.Lock()
        self._is_closing = False
        self._task: asyncio.Task[None] | None = None

    def add(self, utterance: Utterance) -> None:
        self._listed.append(utterance)
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._write_all(), name="june.manifest")

    def begin(self, consent_id: str) -> None:
        """From now on it is this consent's; what was said under another one went with that."""
        if any(one.consent_id != consent_id for one in self._listed):
            self._listed = [one for one in self._listed if one.consent_id == consent_id]
            self._written = 0

    async def forget(self) -> None:
        """Before the voice is deleted: what is not written yet never is."""
        async with self._writing:
            self._listed = []
            self._written = 0

    async def aclose(self) -> None:
        self._is_closing = True
        self._changed.set()
        if self._task is None:
            return
        done, _ = await asyncio.wait({self._task}, timeout=CLOSE_SECONDS)
        if not done:
            self._task.cancel()
            log.error("manifest.not_written", count=len(self._listed) - self._written)

    async def _write_all(self) -> None:
        while not (self._is_closing and self._written == len(self._listed)):
            await self._changed.wait()
            self._changed.clear()
            try:
                async with self._writing:
                    await self._write_new()
            except NoConsent:
                self._listed = []  # the voice was deleted, and its manifest with it
                self._written = 0
            except (MemoryFull, TextTooLong):
                log.error("manifest.full")
                self._listed = self._listed[: self._written]
                self._on_full()
            except StoreError as error:
                log.warning("store.unavailable", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)
                self._changed.set()
            except Exception as error:  # noqa: BLE001  what is not listed may not be said
                log.error("manifest.failed", error=type(error).__name__)
                self._listed = self._listed[: self._written]
                self._on_full()

    async def _write_new(self) -> None:
        kept = self._listed
        while self._listed is kept and self._written < len(kept):
            part = self._written // MOST_UTTERANCES
            begin = part * MOST_UTTERANCES
            listed = tuple(self._listed[begin : begin + MOST_UTTERANCES])
            await self._voices.list_utterances(self._session, self._call_id, part, listed)
            if self._listed is kept:
                self._written = begin + len(listed)
