"""How a call ends: once, for the first reason given, with June's last sentence heard to its end."""

import asyncio
import time
from collections.abc import Callable

import structlog
from livekit import rtc
from livekit.agents import AgentSession, CloseEvent
from livekit.agents import CloseReason as VoiceCloseReason
from livekit.agents.voice import SpeechHandle

from agent.events import Tell, call_ended, to_nobody
from agent.spoken import SpokenLines, frames
from session import CloseReason

log = structlog.get_logger(__name__)

SENTENCE_SECONDS = 8.0
"""How long the sentence that June is in may go on before her goodbye takes its place."""

LAST_WORDS_SECONDS = 15.0
"""How long the goodbye itself may take before the call ends without it."""

OWN_GOODBYE_SECONDS = 60.0
"""For a goodbye in the model's words, which may be a long one."""

ON_THE_WAY_SECONDS = 0.3
"""Sound that has left June is still in the caller's jitter buffer."""

LINE_SECONDS = 5.0
"""A LiveKit server that stops ends June's job and drops her line, both within this time."""

WHY_DISCONNECTED = {
    rtc.DisconnectReason.ROOM_DELETED: CloseReason.ROOM_DELETED,
    rtc.DisconnectReason.PARTICIPANT_REMOVED: CloseReason.REMOVED,
}


class Ending:
    """Lives as long as one call. `shut_down` ends it where it takes place: as LiveKit's job, say,
    which goes on when the voice is closed.
    """

    def __init__(
        self,
        voice: AgentSession[None],
        spoken: SpokenLines,
        shut_down: Callable[[str], None],
        *,
        on_begin: Callable[[], None] = lambda: None,
    ) -> None:
        self._voice = voice
        self._spoken = spoken
        self._shut_down = shut_down
        self._on_begin = on_begin
        self.tell: Tell = to_nobody
        """The caller's page, where there is one."""
        self._task: asyncio.Task[None] | None = None
        self.reason: CloseReason | None = None
        self._began: float | None = None
        self._line_lost_at = float("-inf")

    @property
    def seconds_ago(self) -> float:
        """Since the end began; 0 where it has not."""
        return 0.0 if self._began is None else time.monotonic() - self._began

    def hung_up(self) -> None:
        """The caller has: then the call was over, though LiveKit closes the voice seconds later."""
        if self._began is None:
            self._began = time.monotonic()

    def begin(
        self,
        reason: CloseReason,
        last_words: str | None = None,
        *,
        after: SpeechHandle | None = None,
    ) -> None:
        """End the call; later reasons change nothing. `after` holds words that must be heard."""
        if self.reason is not None:
            return
        self.reason = reason
        if self._began is None:
            self._began = time.monotonic()
        self._on_begin()
        self.tell(call_ended(reason))
        self._task = asyncio.create_task(self._end(reason, last_words, after), name="june.ending")

    def raise_to(self, reason: CloseReason) -> None:
        """An end that has begun is another one after all; who was told the first is told this."""
        if self.reason is not None and self.reason is not reason:
            self.reason = reason
            self.tell(call_ended(reason))

    async def _end(
        self, reason: CloseReason, last_words: str | None, after: SpeechHandle | None
    ) -> None:
        try:
            if after is not None:
                async with asyncio.timeout(OWN_GOODBYE_SECONDS):
                    await after.wait_for_playout()
            if last_words is not None:
                await self._finish_sentence()
                async with asyncio.timeout(LAST_WORDS_SECONDS):
                    await self._say(last_words)
            if after is not None or last_words is not None:
                await asyncio.sleep(ON_THE_WAY_SECONDS)
        except (TimeoutError, RuntimeError) as error:
            log.warning("goodbye.unsaid", reason=reason.value, error=type(error).__name__)
        finally:
            self._shut_down(reason.value)

    async def _finish_sentence(self) -> None:
        if (speech := self._voice.current_speech) is None:
            return
        try:
            async with asyncio.timeout(SENTENCE_SECONDS):
                await speech.wait_for_playout()
        except TimeoutError:
            speech.interrupt(force=True)

    async def _say(self, last_words: str) -> None:
        speech = await say(self._voice, self._spoken, last_words, allow_interruptions=False)
        await speech.wait_for_playout()

    def on_voice_closed(self, event: CloseEvent) -> None:
        """LiveKit closed the voice: the caller left, a provider failed, or the job was ended.

        A worker that stops has asked for a goodbye before, and a server that stops has dropped the
        line; who ends the job otherwise has removed June, by deleting her dispatch for example.
        """
        why = {
            VoiceCloseReason.PARTICIPANT_DISCONNECTED: CloseReason.CALLER_LEFT,
            VoiceCloseReason.ERROR: CloseReason.ERROR,
        }
        is_line_lost = time.monotonic() - self._line_lost_at < LINE_SECONDS
        ended = CloseReason.NETWORK_LOST if is_line_lost else CloseReason.REMOVED
        self.begin(why.get(event.reason, ended))

    def on_reconnecting(self) -> None:
        """The line is lost; LiveKit calls again by itself, perhaps a server that was restarted."""
        self._line_lost_at = time.monotonic()

    def on_disconnected(self, reason: rtc.DisconnectReason.ValueType) -> None:
        """June is out of the room. Unless somebody put her out, it was the network."""
        self.begin(WHY_DISCONNECTED.get(reason, CloseReason.NETWORK_LOST))


async def say(
    voice: AgentSession[None], spoken: SpokenLines, line: str, *, allow_interruptions: bool = True
) -> SpeechHandle:
    """Begin one of June's own lines, from the cache of spoken lines where it is there."""
    sound = await spoken.sound_of(line)
    if sound is None:
        return voice.say(line, allow_interruptions=allow_interruptions)
    return voice.say(line, audio=frames(sound), allow_interruptions=allow_interruptions)
