"""What failed, was cut off or discarded is paid for as an estimate; what was refused is not."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from guard_fakes import (
    HANG,
    Call,
    Ears,
    Mind,
    Sound,
    Voice,
    VoiceStep,
    flying_time,
    numbered,
    settled,
)
from livekit.agents import APIConnectionError, APIStatusError, llm
from livekit.agents.types import NOT_GIVEN
from purse_fakes import RecordingPurse

from agent.models.guard import BrokenOff, Provider, Unanswered
from agent.models.guarded_ears import GuardedEars
from agent.models.guarded_llm import GuardedLLM
from agent.models.guarded_tts import GuardedTTS
from agent.models.metered_llm import MeteredLLM
from agent.models.metered_stt import MeteredSTT
from agent.models.metered_tts import MeteredTTS
from agent.models.turn_clock import TurnClock

TEXT = "The capital of France is Paris."


@pytest.fixture(autouse=True)
async def _no_waiting() -> AsyncIterator[None]:
    with flying_time():
        yield


@pytest.fixture
def purse() -> RecordingPurse:
    return RecordingPurse()


def mind(purse: RecordingPurse, *minds: Mind) -> GuardedLLM:
    metered = [Provider(MeteredLLM(one, purse, max_output_tokens=200), one.model) for one in minds]
    return GuardedLLM(metered, Call().guard, TurnClock())


async def think(purse: RecordingPurse, *minds: Mind) -> list[str]:
    asked = llm.ChatContext.empty()
    asked.add_message(role="user", content="What is the capital of France?")
    async with mind(purse, *minds).chat(chat_ctx=asked) as reply:
        return [chunk.delta.content or "" async for chunk in reply if chunk.delta]


async def speak(purse: RecordingPurse, *voices: Voice) -> None:
    metered = [Provider(MeteredTTS(one, purse), one.model) for one in voices]
    async with GuardedTTS(metered, Call().guard, TurnClock()).synthesize(TEXT) as speech:
        async for _ in speech:
            pass


async def test_a_mind_that_hangs_has_read_the_question(purse: RecordingPurse) -> None:
    """Nobody tells how much; the next one, which answered, is paid for as well."""
    assert await think(purse, Mind("a", [HANG]), Mind("b", ["Paris."])) == ["Paris."]
    await settled()
    first, second = purse.settled
    assert (first.model.model, first.is_estimate, first.used.input_tokens > 0) == ("a", True, True)
    assert (second.model.model, second.used.output_tokens > 0) == ("b", True)
    assert purse.left_open == 0


async def test_a_mind_that_breaks_off_has_written_what_there_is(purse: RecordingPurse) -> None:
    with pytest.raises(BrokenOff):
        await think(purse, Mind("a", ["The capital is ", APIConnectionError("gone")]))
    used, is_estimate = purse.only()
    assert (is_estimate, used.output_tokens > 0) == (True, True)


async def test_one_that_turns_the_request_away_is_not_paid(purse: RecordingPurse) -> None:
    with pytest.raises(Unanswered):
        await think(purse, Mind("a", [APIStatusError("busy", status_code=429)]))
    used, _ = purse.only()
    assert (used.tokens, used.audio_seconds) == (0, 0.0)


@pytest.mark.parametrize("steps", [[HANG], [Sound(1.0, peak=0)], [Sound(0.2), HANG]])
async def test_a_voice_that_is_of_no_use_has_had_the_text(
    purse: RecordingPurse, steps: list[VoiceStep]
) -> None:
    with pytest.raises((Unanswered, BrokenOff)):
        await speak(purse, Voice("a", steps))
    await settled()
    assert purse.left_open == 0
    assert purse.settled[0].used.characters == len(TEXT)


async def test_a_caller_who_cuts_in_does_not_save_the_sentence(purse: RecordingPurse) -> None:
    speaking = asyncio.create_task(speak(purse, Voice("a", [Sound(0.2), HANG])))
    await settled()
    speaking.cancel()
    await asyncio.wait({speaking})
    await settled()
    used, is_estimate = purse.only()
    assert (used.characters, is_estimate) == (len(TEXT), True)


async def test_ears_that_are_given_up_have_heard_so_much(purse: RecordingPurse) -> None:
    """And whoever hears it again, too."""
    first, second = Ears("a"), Ears("b")
    ears = GuardedEars(
        first,
        [Provider(MeteredSTT(one, purse), one.model) for one in (first, second)],
        Call().guard,
        NOT_GIVEN,
        on_asked=lambda _: None,
    )
    ears.begin_speech()
    for number in range(1, 25):  # 3 s
        ears.push_frame(numbered(number))
    await settled()
    ears.rebuild(forget=False)
    await settled()
    await ears.aclose()
    await settled()
    assert purse.left_open == 0
    heard = {one.model.model: one.used.audio_seconds for one in purse.settled}
    assert heard == {"a": pytest.approx(3.0), "b": pytest.approx(3.0)}
