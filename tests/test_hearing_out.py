"""Guarded ears and their watch together: nothing a caller says is lost without a word."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from typing import Any, Literal, cast

import guard_fakes
import pytest
from guard_fakes import HOST, Ears, flying_time, heard, numbered, settled, told_apart
from livekit import rtc
from livekit.agents import APIConnectionError, APIStatusError, UserStateChangedEvent, stt
from purse_fakes import RecordingPurse
from speech_fakes import ScriptedVAD, sound

from agent.ears_watch import SWITCH_SECONDS, EarsWatch
from agent.models.busy import BusyNote
from agent.models.guard import Guard, Provider
from agent.models.guarded_ears import RETURN_SECONDS, WORKED_SECONDS
from agent.models.guarded_stt import GuardedSTT
from agent.models.metered_stt import MeteredSTT


@pytest.fixture(autouse=True)
async def _fly() -> AsyncIterator[None]:
    with flying_time():
        yield


def down() -> APIConnectionError:
    return APIConnectionError("down")


class Call:
    def __init__(self, *models: Any) -> None:
        self.stt = GuardedSTT(told_apart(models), Guard(), ScriptedVAD())
        self.ears = self.stt.stream()
        self.heard: list[str] = []
        self.task = asyncio.create_task(self._hear())
        self.said: list[str] = []
        self.is_over = False
        self.voice = cast(Any, rtc.EventEmitter[Literal["user_state_changed"]]())
        self.watch = EarsWatch(
            self.voice,
            self.stt,
            lambda nobody: self.said.append("nobody hears" if nobody else "not caught"),
            lambda: self.said.append("wordless"),
            is_over=lambda: self.is_over,
        )

    async def _hear(self) -> None:
        async for event in self.ears:
            if event.alternatives:
                self.heard.append(event.alternatives[0].text)

    def becomes(self, old: Any, new: Any) -> None:
        self.voice.emit(
            "user_state_changed",
            UserStateChangedEvent(old_state=old, new_state=new, created_at=time.time()),
        )

    async def speaks(self, seconds: float) -> None:
        """And 0.4 s of silence, after which the VAD says so."""
        self.becomes("listening", "speaking")
        await asyncio.sleep(seconds + 0.4)
        self.becomes("speaking", "listening")

    async def is_heard_to_speak(self) -> None:
        """For 2.05 s, by ears that have a VAD of their own as well."""
        self.becomes("listening", "speaking")
        for level, frames in ((1000, 64), (0, 13)):
            for _ in range(frames):
                self.ears.push_frame(sound(0.032, level))
                await asyncio.sleep(0.032)
        self.becomes("speaking", "listening")

    async def close(self) -> None:
        await self.ears.aclose()
        self.task.cancel()
        await asyncio.wait({self.task})


async def test_who_returns_does_not_hear_again_what_was_understood() -> None:
    first, second = Ears("a", fails=[down()]), Ears("b")
    call = Call(first, second)
    await settled()
    await asyncio.sleep(RETURN_SECONDS + 1)
    call.ears.begin_speech()
    for number in range(1, 41):  # 5 s of speech
        call.ears.push_frame(numbered(number))
    await settled()
    call.ears.owed.end(5.0)
    second.newest.say(heard("Hello."))
    await settled()
    assert len(first.streams) == 2
    replayed = first.newest.numbers
    await call.close()
    assert replayed == [], f"{len(replayed) * 0.125} s"


async def test_nor_after_a_line_that_drops_just_after_a_final() -> None:
    first = Ears("a")
    call = Call(first)
    await settled()
    call.ears.begin_speech()
    for number in range(1, 41):
        call.ears.push_frame(numbered(number))
    await settled()
    call.ears.owed.end(5.0)
    first.newest.say(heard("Hello."))
    first.newest.fail(down())
    await settled()
    replayed = first.newest.numbers
    await call.close()
    assert len(first.streams) == 2
    assert replayed == [], f"{len(replayed) * 0.125} s"


class BatchEars(stt.STT[str]):
    """Hear a recording in so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=False, interim_results=False))
        self.seconds = seconds

    @property
    def model(self) -> str:
        return "whisper"

    @property
    def provider(self) -> str:
        return HOST

    async def _recognize_impl(self, buffer: Any, *, language: Any = None, conn_options: Any) -> Any:
        await asyncio.sleep(self.seconds)
        return heard("Hello there.")


async def test_recordings_that_are_understood_are_not_called_wordless() -> None:
    call = Call(BatchEars(1.0))
    with call.watch:
        await settled()
        await call.is_heard_to_speak()
        await asyncio.sleep(3)
        await settled()
    await call.close()
    assert call.heard == ["Hello there."]
    assert call.said == []


async def test_the_words_of_earlier_speech_are_no_answer_to_the_newer() -> None:
    """A greeting, half a second, a question: and of the question the ears never say anything."""
    ears = Ears("a")
    call = Call(ears)
    with call.watch:
        await settled()
        await call.speaks(1.0)
        await asyncio.sleep(0.1)
        call.becomes("listening", "speaking")
        await asyncio.sleep(0.2)
        ears.newest.say(heard("Hello."))  # late, as they are
        await asyncio.sleep(3.0)
        call.becomes("speaking", "listening")
        await asyncio.sleep(10)
        await settled()
    await call.close()
    assert call.said == ["not caught"]


async def test_a_short_sound_after_speech_does_not_make_june_forget_the_speech() -> None:
    """2 s of speech, and 1 s later "Hello?": deaf ears, and no apology ever."""
    call = Call(Ears("a"))
    with call.watch:
        await settled()
        await call.speaks(2.0)
        for _ in range(5):
            await asyncio.sleep(1.0)
            await call.speaks(0.5)
        await asyncio.sleep(10)
    await call.close()
    assert call.said != []


async def test_where_all_rest_it_is_said_at_once_with_a_fallback_too() -> None:
    call = Call(Ears("a", always=down), Ears("b", always=down))
    with call.watch:
        await asyncio.sleep(30)
        call.becomes("listening", "speaking")
        await asyncio.sleep(1.4)
        while not call.ears.is_resting:
            await asyncio.sleep(0.01)
        call.becomes("speaking", "listening")
        began = asyncio.get_running_loop().time()
        while not call.said:
            await asyncio.sleep(0.01)
        took = asyncio.get_running_loop().time() - began
    await call.close()
    assert (call.said, took < 0.5) == (["nobody hears"], True), took


async def test_a_failure_at_the_moment_of_a_rebuild_is_looked_at() -> None:
    loop, problems = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: problems.append(context["message"]))
    ears = Ears("a")
    call = Call(ears)
    await settled()
    for wait in range(12):
        ears.newest.fail(down())
        for _ in range(wait):
            await asyncio.sleep(0)
        call.ears.rebuild(forget=False)
        await settled()
        await asyncio.sleep(10)
    await call.close()
    gc.collect()
    await settled()
    loop.set_exception_handler(None)
    assert problems == []


async def test_the_end_of_the_input_ends_ears_that_rest_at_once() -> None:
    call = Call(Ears("a", always=down))
    await asyncio.sleep(30)
    began = asyncio.get_running_loop().time()
    while not call.ears.is_resting:
        await asyncio.sleep(0.01)
    call.ears.end_input()
    await asyncio.wait({call.task})
    took = asyncio.get_running_loop().time() - began
    await call.close()
    assert took < 0.1, took


async def test_a_noise_that_nobody_answers_does_not_keep_silence_for_ever() -> None:
    call = Call(Ears("a"))
    with call.watch:
        await settled()
        await call.speaks(0.2)
        await asyncio.sleep(20)
        for number in range(200):
            call.ears.push_frame(numbered(number))
        await settled()
        kept = sum(one.duration for one in call.ears.owed.kept.frames)
    await call.close()
    assert kept <= 1.0, kept


@pytest.mark.parametrize(
    "final", [heard(""), stt.SpeechEvent(stt.SpeechEventType.FINAL_TRANSCRIPT)]
)
async def test_a_final_without_words_is_not_silence(final: stt.SpeechEvent) -> None:
    """LiveKit makes no turn of it, so somebody must say something."""
    ears = Ears("a")
    call = Call(ears)
    with call.watch:
        await settled()
        await call.speaks(2.0)
        ears.newest.say(final)
        await asyncio.sleep(10)
        await settled()
    await call.close()
    assert call.said == ["wordless"]


async def test_preflight_words_are_words() -> None:
    ears = Ears("a")
    call = Call(ears)
    with call.watch:
        await settled()
        call.becomes("listening", "speaking")
        await asyncio.sleep(0.6)
        ears.newest.say(heard("Yes", kind=stt.SpeechEventType.PREFLIGHT_TRANSCRIPT))
        await settled()
        call.becomes("speaking", "listening")
        await asyncio.sleep(10)
        await settled()
    await call.close()
    assert call.said == ["not caught"]


async def test_busy_ears_are_left_alone_as_long_as_they_say() -> None:
    guarded, note = guard_fakes.Call(), BusyNote()
    note.retry_after_seconds = 7.0
    model = Ears("a", fails=[APIStatusError("busy", status_code=429)])
    ears = GuardedSTT([Provider(model, "a", note)], guarded.guard, ScriptedVAD()).stream()
    await settled()
    states = await guarded.breakers.state()
    await ears.aclose()
    assert states["a"].seconds_left == pytest.approx(7.0)


async def test_what_is_wrong_with_a_request_is_not_sent_again() -> None:
    """Nor is it a failure of the provider's, however long it had worked before."""
    guarded, model = guard_fakes.Call(), Ears("a")
    ears = GuardedSTT(told_apart([model]), guarded.guard, ScriptedVAD()).stream()
    await settled()
    await asyncio.sleep(WORKED_SECONDS + 1)
    ears.begin_speech()
    for number in range(1, 9):
        ears.push_frame(numbered(number))
    await settled()
    ears.owed.end(1.0)
    model.newest.fail(APIStatusError("what is that?", status_code=400))
    await settled()
    await asyncio.sleep(10)
    assert len(model.streams) == 2
    assert model.newest.numbers == []
    assert guarded.breakers.told == []
    await ears.aclose()


async def test_during_a_goodbye_nothing_is_said_of_it() -> None:
    call = Call(Ears("a"))
    with call.watch:
        await settled()
        await call.speaks(2.0)
        call.is_over = True
        await asyncio.sleep(10)
    await call.close()
    assert call.said == []


async def test_ears_of_this_machine_are_not_made_anew_for_being_slow() -> None:
    local = Ears("local", provider="local")
    call = Call(Ears("a", always=down), local)
    with call.watch:
        await settled()
        await call.speaks(2.0)
        await asyncio.sleep(SWITCH_SECONDS + 1)
        local.newest.say(heard("Hello."))
        await asyncio.sleep(10)
    await call.close()
    assert (len(local.streams), call.said, call.heard) == (1, [], ["Hello."])


@pytest.mark.parametrize("seconds", [0.05, 0.3, 0.7, 1.0, 1.5])
async def test_recordings_that_are_paid_for_are_understood_as_well(seconds: float) -> None:
    call = Call(MeteredSTT(BatchEars(seconds), RecordingPurse()))
    with call.watch:
        for _ in range(3):
            await settled()
            await call.is_heard_to_speak()
            await asyncio.sleep(3)
    await call.close()
    assert (call.heard, call.said) == (["Hello there."] * 3, [])


@pytest.mark.parametrize("turns", [1, 4])
async def test_ears_that_find_each_request_wrong_are_silence_in_no_turn(turns: int) -> None:
    """A model that was retired, or no credit: it is said, and not as if there were no words."""
    call = Call(Ears("a", always=lambda: APIStatusError("no such model", status_code=404)))
    with call.watch:
        for _ in range(turns):
            await settled()
            await call.speaks(2.0)
            await asyncio.sleep(4)
    await call.close()
    assert len(call.said) == turns
    assert "wordless" not in call.said


async def test_what_is_wrong_for_some_is_heard_by_others() -> None:
    first = Ears("a", always=lambda: APIStatusError("no such model", status_code=404))
    local = Ears("local", provider="local")
    call = Call(first, local)
    call.ears.begin_speech()
    for number in range(1, 9):
        call.ears.push_frame(numbered(number))
    await settled()
    assert local.newest.numbers == list(range(1, 9))
    await call.close()


async def test_noise_after_words_that_were_understood_is_no_deafness() -> None:
    """A television, or breath: the VAD hears speech in it, and the ears rightly do not."""
    ears = Ears("a")
    call = Call(ears)
    with call.watch:
        await settled()
        call.becomes("listening", "speaking")
        await asyncio.sleep(2.0)
        ears.newest.say(heard("Hel", kind=stt.SpeechEventType.INTERIM_TRANSCRIPT), heard("Hello."))
        await asyncio.sleep(3.0)
        call.becomes("speaking", "listening")
        await asyncio.sleep(10)
    await call.close()
    assert (call.said, len(ears.streams)) == ([], 1)


async def test_words_after_those_that_were_understood_are_owed_an_answer() -> None:
    ears = Ears("a")
    call = Call(ears)
    with call.watch:
        await settled()
        call.becomes("listening", "speaking")
        await asyncio.sleep(2.0)
        ears.newest.say(heard("Hello."))
        await asyncio.sleep(2.0)
        ears.newest.say(heard("What", kind=stt.SpeechEventType.INTERIM_TRANSCRIPT))
        await asyncio.sleep(0.5)
        call.becomes("speaking", "listening")
        await asyncio.sleep(10)
    await call.close()
    assert call.said == ["not caught"]
