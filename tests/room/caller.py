"""A caller in a real room: publishes speech in real time, and keeps all that comes back."""

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

import numpy as np
from livekit import api, rtc

from agent.events import TOPIC
from agent.livekit_server import LoopbackServer
from agent.models.local.engine import HEARING_RATE, LocalSpeech
from room.ears import WINDOW, Sound, loud_windows, understand
from room.microphone import Microphone
from room.voices import synthetic

TRANSCRIPTION = "lk.transcription"
FINAL = "lk.transcription_final"


@dataclass
class Transcript:
    """One text stream as LiveKit's clients get it; a later one of the same segment replaces it."""

    segment_id: str
    speaker: str
    final: bool
    at: float
    text: str = ""
    parts: list[tuple[float, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Heard:
    """A stretch of June's speech. Times are of `time.monotonic`."""

    text: str
    started: float
    ended: float


class Caller:
    """Somebody who calls. `ears` understand what June says."""

    def __init__(self, server: LoopbackServer, room: str, identity: str, ears: LocalSpeech) -> None:
        self.server = server
        self.room_name = room
        self.identity = identity
        self.room = rtc.Room()
        self.transcripts: list[Transcript] = []
        self.listened_from = 0.0
        self.heard: list[Heard] = []
        self.connection: tuple[str, str] | None = None
        """Address and token, where they do not follow from the server."""
        self.attributes: dict[str, str] = {}
        """What the token says of them."""
        self.events: list[dict[str, Any]] = []
        """June's own, as they came."""
        self._ears = ears
        self._sound = np.zeros(0, np.int16)
        self._sound_began = 0.0
        self._microphone: Microphone | None = None
        self._tasks: list[asyncio.Task[Any]] = []

    @property
    def api(self) -> api.LiveKitAPI:
        return api.LiveKitAPI(
            self.server.url, self.server.api_key, self.server.api_secret.get_secret_value()
        )

    def token(self) -> str:
        return (
            api.AccessToken(self.server.api_key, self.server.api_secret.get_secret_value())
            .with_identity(self.identity)
            .with_ttl(timedelta(minutes=10))
            .with_grants(api.VideoGrants(room_join=True, room=self.room_name))
            .with_attributes(self.attributes)
            .to_jwt()
        )

    async def join(self, *, with_microphone: bool = True) -> Self:
        self.room.register_text_stream_handler(TRANSCRIPTION, self._on_transcript)
        self.room.on("track_subscribed", self._on_track)
        self.room.on("data_received", self._on_data)
        address, token = self.connection or (self.server.url, self.token())
        await self.room.connect(address, token)
        if with_microphone:
            self._microphone = await Microphone.of(self.room)
        return self

    async def dispatch(self, metadata: str = "", agent: str = "june") -> None:
        """Send June here, as an operator would."""
        async with self.api as livekit:
            await livekit.agent_dispatch.create_dispatch(
                api.CreateAgentDispatchRequest(
                    agent_name=agent, room=self.room_name, metadata=metadata
                )
            )

    def _start(self, work: Any) -> None:
        self._tasks.append(asyncio.create_task(work))

    def _on_track(self, track: rtc.Track, _: object, participant: rtc.RemoteParticipant) -> None:
        if participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            self._start(self._listen(track))

    def _on_data(self, packet: rtc.DataPacket) -> None:
        if packet.topic == TOPIC:
            assert packet.kind == rtc.DataPacketKind.KIND_RELIABLE
            assert packet.participant is not None
            assert packet.participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
            self.events.append(json.loads(packet.data))

    async def _listen(self, track: rtc.Track) -> None:
        """Keep June's sound with its time: what is missing on the way is silence."""
        stream = rtc.AudioStream(track, sample_rate=HEARING_RATE, num_channels=1)
        async for event in stream:
            now = time.monotonic()
            if not len(self._sound):
                self._sound_began = now
            behind = int((now - self._sound_began) * HEARING_RATE) - len(self._sound)
            if behind > HEARING_RATE // 4:
                self._sound = np.concatenate([self._sound, np.zeros(behind, np.int16)])
            piece = np.frombuffer(event.frame.data, np.int16)
            self._sound = np.concatenate([self._sound, piece])

    def _on_transcript(self, reader: rtc.TextStreamReader, identity: str) -> None:
        attributes = reader.info.attributes or {}
        transcript = Transcript(
            segment_id=attributes["lk.segment_id"],
            speaker=identity,
            final=attributes.get(FINAL) == "true",
            at=time.monotonic(),
        )
        self.transcripts.append(transcript)
        self._start(self._read(reader, transcript))

    async def _read(self, reader: rtc.TextStreamReader, transcript: Transcript) -> None:
        async for part in reader:
            transcript.parts.append((time.monotonic(), part))
            transcript.text += part
        # June's own words come in one stream, which says only at its end that it was the final one.
        transcript.final = (reader.info.attributes or {}).get(FINAL) == "true"

    async def say(self, said: str | rtc.AudioFrame, voice: str = "slt") -> tuple[float, float]:
        """Say it in real time: when it began and when its last sample was on its way."""
        assert self._microphone is not None
        sound = await synthetic(said, voice) if isinstance(said, str) else said
        began = time.monotonic()
        await self._microphone.play(sound)
        return began, time.monotonic()

    async def type(self, text: str) -> None:
        await self.room.local_participant.send_text(text, topic="lk.chat")

    async def type_and_be_answered(self, text: str) -> None:
        """Type it, also while June speaks; she has begun to answer."""
        answers = len(self.june_says)
        await self.type(text)
        await self.until(lambda: len(self.june_says) > answers, 15, f"an answer to `{text}`")

    @property
    def june_says(self) -> list[str]:
        """What June has said, as the room shows it; the last of it may still go on."""
        return [one.text for one in self.transcripts if one.speaker != self.identity and one.text]

    async def until(self, condition: Callable[[], Any], seconds: float, what: str) -> Any:
        """What the condition gives once it is true; a failure that says what was waited for."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < end, f"{what}: not within {seconds} s"
            await asyncio.sleep(0.02)
        return value

    def speech(self, pause_seconds: float = 0.7) -> list[tuple[float, float]]:
        """When June spoke, as far as it was heard: stretches that such pauses part."""
        loud = np.flatnonzero(loud_windows(self._sound))
        if not len(loud):
            return []
        breaks = np.flatnonzero(np.diff(loud) > pause_seconds * HEARING_RATE / WINDOW)
        starts, ends = loud[np.r_[0, breaks + 1]], loud[np.r_[breaks, len(loud) - 1]] + 1
        scale = WINDOW / HEARING_RATE
        begun = self._sound_began
        return [(begun + a * scale, begun + b * scale) for a, b in zip(starts, ends, strict=True)]

    def sound(self, started: float, ended: float) -> Sound:
        first = int((started - self._sound_began) * HEARING_RATE)
        return self._sound[max(0, first) : int((ended - self._sound_began) * HEARING_RATE)]

    async def hear(self, seconds: float = 15.0, quiet_seconds: float = 0.8) -> Heard:
        """The next thing that June says, to its end, as the caller understands it."""

        def done() -> list[tuple[float, float]]:
            since = [span for span in self.speech() if span[1] > self.listened_from + 0.1]
            now = self._sound_began + len(self._sound) / HEARING_RATE
            return since if since and now - since[-1][1] >= quiet_seconds else []

        spans = await self.until(done, seconds, "June says something to its end")
        started = max(spans[0][0], self.listened_from)
        ended = spans[-1][1]
        self.listened_from = ended
        self.heard.append(Heard(await self.understood(started, ended), started, ended))
        return self.heard[-1]

    async def understood(self, started: float, ended: float) -> str:
        """Words of what came in that time."""
        return await understand(self._ears, self.sound(started - 0.2, ended + 0.2))

    async def ask(self, question: str | rtc.AudioFrame, voice: str = "slt") -> Heard:
        """Say it when June is quiet, and hear the answer."""
        _, ended = await self.say(question, voice)
        self.listened_from = max(self.listened_from, ended - 0.2)
        return await self.hear()

    async def ask_for(self, expected: str, question: str, voice: str = "slt") -> Heard:
        """Ask until the answer fits, twice, and then in another voice, as people do.

        Moonshine mishears flite's voices at times. `expected` is a regular expression over the
        answer in lower case, as it was heard or as the room shows it: callers hear by Moonshine
        too, and may have both.
        """
        answers = ""
        for spoken_by in (voice, voice, "rms" if voice == "slt" else "slt"):
            asked = time.monotonic()
            answer = await self.ask(question, spoken_by)
            answers = f"{answer.text} {self.june_wrote(asked)}".lower()
            if answer.text and re.search(expected, answers):
                return answer
            print(f"\nJune heard {self.finals()[-1:]} and said {answers!r}")
        raise AssertionError(f"`{question}` was answered `{answers}`, not `{expected}`")

    def june_wrote(self, since: float) -> str:
        """What June said since then, as the room shows it."""
        june = self.june()
        assert june is not None
        return " ".join(
            one.text for one in self.transcripts if one.speaker == june.identity and one.at > since
        )

    def june(self) -> rtc.RemoteParticipant | None:
        """June, if she is here."""
        return next(
            (
                participant
                for participant in self.room.remote_participants.values()
                if participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
            ),
            None,
        )

    @property
    def state_of_june(self) -> str:
        """What her session says of her, as clients show it; empty while she is not here."""
        june = self.june()
        return "" if june is None else june.attributes.get("lk.agent.state", "")

    def finals(self, speaker: str | None = None) -> list[str]:
        """What of this caller's, or another's, words is marked as final."""
        return [
            transcript.text
            for transcript in self.transcripts
            if transcript.final and transcript.speaker == (speaker or self.identity)
        ]

    async def leave(self) -> None:
        if self._microphone is not None:
            self._microphone.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self.room.disconnect()
