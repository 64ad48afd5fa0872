"""Local STT: interims while the caller speaks, the final soon after, and nothing for a breath."""

import asyncio
import itertools

import aiohttp
import pytest
from livekit import rtc
from livekit.agents import APIConnectionError, APIConnectOptions, APIError, stt
from speech_fakes import WINDOW_SECONDS, ScriptedSpeech, ScriptedVAD, sound

from agent.models.local.stt import INTERIM_SECONDS, LocalStream, LocalSTT

Kind = stt.SpeechEventType
SURE, UNSURE, SILENT = 1000, 550, 0


class Listening:
    """A stream under test, fed in windows, with what it said so far."""

    def __init__(self, speech: ScriptedSpeech) -> None:
        self.speech = speech
        options = APIConnectOptions(max_retry=0)
        self.stream: LocalStream = LocalSTT(speech, ScriptedVAD()).stream(conn_options=options)
        self.said: list[tuple[Kind, str]] = []

    async def hear(self, seconds: float, level: int = SURE) -> None:
        for _ in range(round(seconds / WINDOW_SECONDS)):
            self.stream.push_frame(sound(WINDOW_SECONDS, level))
            for _ in range(8):
                await asyncio.sleep(0)

    async def finish(self) -> list[tuple[Kind, str]]:
        self.stream.end_input()
        async for event in self.stream:
            text = event.alternatives[0].text if event.alternatives else ""
            self.said.append((event.type, text))
        await self.stream.aclose()
        return self.said

    def of(self, kind: Kind) -> list[str]:
        return [text for said, text in self.said if said is kind]


async def test_interims_come_while_the_caller_speaks() -> None:
    """A five-second sentence shows words about every half second, each covering more."""
    call = Listening(ScriptedSpeech())
    await call.hear(5.0)
    await call.hear(0.5, SILENT)
    await call.finish()

    interims = [float(text.split()[1]) for text in call.of(Kind.INTERIM_TRANSCRIPT)]
    assert len(interims) >= 7
    assert interims == sorted(interims)
    assert all(b - a <= 0.7 for a, b in itertools.pairwise(interims))
    assert call.said[-1][0] is Kind.END_OF_SPEECH
    assert call.said[-3][0] is Kind.FINAL_TRANSCRIPT


async def test_the_final_is_asked_for_at_the_pause_and_only_once() -> None:
    """When the pause turns out to be the end, its words are already there."""
    call = Listening(ScriptedSpeech())
    await call.hear(1.0)
    await call.hear(0.5, SILENT)
    await call.finish()

    finals = [seconds for seconds, final in call.speech.asked if final]
    assert len(finals) == 1
    assert 1.15 < finals[0] < 1.3
    assert call.of(Kind.FINAL_TRANSCRIPT) == [f"final {finals[0]}"]


async def test_a_caller_who_goes_on_after_a_pause_is_not_cut() -> None:
    """The early words are thrown away; the final covers both halves."""
    call = Listening(ScriptedSpeech())
    await call.hear(1.0)
    await call.hear(0.3, SILENT)
    await call.hear(1.0)
    await call.hear(0.5, SILENT)
    await call.finish()

    (final,) = call.of(Kind.FINAL_TRANSCRIPT)
    assert float(final.split()[1]) > 2.2


async def test_a_breath_says_nothing() -> None:
    """What the VAD was hardly sure of does not become a word, however the model reads it."""
    call = Listening(ScriptedSpeech())
    await call.hear(0.064)
    await call.hear(0.3, UNSURE)
    await call.hear(0.5, SILENT)
    await call.finish()

    assert call.of(Kind.FINAL_TRANSCRIPT) == []
    assert call.said[-1][0] is Kind.END_OF_SPEECH


async def test_an_empty_transcript_is_no_word() -> None:
    """Sound that was surely a voice, and in which the model finds nothing."""
    speech = ScriptedSpeech()
    speech.hears_nothing = True
    call = Listening(speech)
    await call.hear(1.0)
    await call.hear(0.5, SILENT)
    await call.finish()

    assert call.of(Kind.INTERIM_TRANSCRIPT) == []
    assert call.of(Kind.FINAL_TRANSCRIPT) == []


async def test_slow_interims_are_skipped_and_never_pile_up() -> None:
    """While one interim is being computed no other is asked for, and the final does not wait."""
    speech = ScriptedSpeech()
    speech.hold = asyncio.Event()
    call = Listening(speech)
    await call.hear(3.0)
    await call.hear(0.5, SILENT)
    await call.finish()

    assert [final for _, final in speech.asked] == [False, True]
    assert call.of(Kind.INTERIM_TRANSCRIPT) == []
    assert len(call.of(Kind.FINAL_TRANSCRIPT)) == 1


async def test_long_speech_is_finished_in_parts() -> None:
    """Nobody waits for the end of a monologue to be transcribed at once, and no sound is lost."""
    call = Listening(ScriptedSpeech())
    await call.hear(20.0)
    await call.hear(0.5, SILENT)
    await call.finish()

    finals = [float(text.split()[1]) for text in call.of(Kind.FINAL_TRANSCRIPT)]
    assert len(finals) == 2
    assert all(seconds < 15 for seconds in finals)
    assert sum(finals) == pytest.approx(20.2, abs=0.1)


@pytest.mark.parametrize("fault", [aiohttp.ClientError(), TimeoutError(), OSError()])
async def test_a_fault_of_the_model_is_one_that_livekit_recovers_from(fault: Exception) -> None:
    """Any other kind of exception would end speech recognition for the rest of the call."""
    speech = ScriptedSpeech()
    speech.fail_with = fault
    call = Listening(speech)
    await call.hear(1.0)
    for _ in range(16):
        call.stream.push_frame(sound(WINDOW_SECONDS, SILENT))
    with pytest.raises(APIError):
        await call.finish()


async def test_a_whole_recording_is_recognised_at_once() -> None:
    """The other face of an STT, which LiveKit uses without a stream."""
    ears = LocalSTT(ScriptedSpeech(), ScriptedVAD())
    heard = await ears.recognize(sound(2.0))
    assert heard.alternatives[0].text == "final 2.0"


async def test_sound_of_the_wrong_rate_is_refused() -> None:
    """Better a plain word than nonsense."""
    ears = LocalSTT(ScriptedSpeech(), ScriptedVAD())
    frame = rtc.AudioFrame(b"\0\0" * 480, 48_000, 1, 480)
    with pytest.raises((ValueError, APIConnectionError), match="16000"):
        await ears.recognize(frame, conn_options=APIConnectOptions(max_retry=0))


def test_interims_keep_the_promised_rhythm() -> None:
    """At least one every 0.7 s: the asking itself must be quicker, for there is computing to do."""
    assert INTERIM_SECONDS <= 0.5
