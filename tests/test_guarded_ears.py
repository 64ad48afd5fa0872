"""Ears of which the next ones listen where some fail, and what was said meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import guard_fakes
import pytest
from guard_fakes import Ears, flying_time, heard, nothing_heard, numbered, settled, told_apart
from livekit.agents import APIError, APIStatusError
from scripted_models import ScriptedEars, ScriptedSTT, down
from speech_fakes import ScriptedVAD, sound

import agent.models.guarded_ears as guarded
from agent.models.guard import Guard, Provider
from agent.models.guarded_ears import PAUSES_SECONDS, WORKED_SECONDS, GuardedEars
from agent.models.guarded_stt import GuardedSTT
from agent.models.kept_sound import BEFORE_SECONDS, LONGEST_SECONDS, KeptSound
from agent.models.refused import Refused
from session.circuits import FAILURES, OPEN_SECONDS
from session.limits import Decision

NO_MONEY = Refused(Decision(allowed=False, reason="out_of_budget"))


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "PAUSES_SECONDS", (0.01, 0.02))


class Call:
    """A caller whose sound has another level in each frame of 0.1 s."""

    def __init__(self, *models: ScriptedSTT) -> None:
        self.models = models
        self.stt = GuardedSTT(
            [Provider(one, f"stt {one.name}") for one in models], Guard(), ScriptedVAD()
        )
        ears = self.stt.stream()
        assert isinstance(ears, GuardedEars)
        self.ears = ears
        self.said = 0
        self.heard: list[str] = []
        self.hearing = asyncio.create_task(self._hear())

    async def _hear(self) -> None:
        async for event in self.ears:
            if event.alternatives:
                self.heard.append(event.alternatives[0].text)

    def says(self, frames: int) -> range:
        """The levels of it."""
        levels = range(self.said + 1, self.said + frames + 1)
        for level in levels:
            self.ears.push_frame(sound(0.1, level))
        self.said += frames
        return levels

    async def listener(self, model: int, number: int = 0) -> ScriptedEars:
        """The stream of this model, once it is there."""
        await until(lambda: len(self.models[model].listened) > number)
        return self.models[model].listened[number].stream

    def levels(self, model: int, number: int = 0) -> list[int]:
        listened = self.models[model].listened
        return listened[number].levels if len(listened) > number else []


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


@asynccontextmanager
async def calling(*models: ScriptedSTT) -> AsyncIterator[Call]:
    call = Call(*models)
    yield call
    await call.ears.aclose()
    call.hearing.cancel()
    await asyncio.wait({call.hearing})


async def test_words_come_through() -> None:
    async with calling(ScriptedSTT("a")) as call:
        ears = await call.listener(0)
        said = call.says(5)
        await until(lambda: call.levels(0) == list(said))
        ears.says("Hel", final=False)
        ears.says("Hello.")
        await until(lambda: call.heard == ["Hel", "Hello."])
        assert call.ears.owed.answered.is_set()
        assert (call.stt.model, call.stt.provider) == ("a", "a.example.org")


async def test_what_some_did_not_understand_others_hear() -> None:
    """From before its beginning, whole and in order, with what came while nobody listened."""
    async with calling(ScriptedSTT("a"), ScriptedSTT("b")) as call:
        first = await call.listener(0)
        call.says(30)
        call.ears.begin_speech()
        call.says(10)
        await until(lambda: len(call.levels(0)) == 40)
        first.fails(down())
        call.says(3)
        await call.listener(1)
        call.says(2)
        await until(lambda: call.levels(1)[-1:] == [45])
        assert call.levels(1) == list(range(45 - len(call.levels(1)) + 1, 46))
        assert len(call.levels(1)) >= 15 + int(BEFORE_SECONDS / 0.1) - 1
        assert call.stt.model == "b"


async def test_what_was_understood_is_not_heard_again() -> None:
    async with calling(ScriptedSTT("a"), ScriptedSTT("b")) as call:
        first = await call.listener(0)
        call.ears.begin_speech()
        call.says(40)
        await until(lambda: len(call.levels(0)) == 40)
        first.says("Hello.")
        await until(lambda: call.heard == ["Hello."])
        call.says(1)
        await until(lambda: len(call.levels(0)) == 41)
        first.fails(down())
        await call.listener(1)
        await until(lambda: call.levels(1)[-1:] == [41])
        assert len(call.levels(1)) <= 1 + BEFORE_SECONDS / 0.1


async def test_a_final_that_is_said_twice_is_heard_once() -> None:
    """By its id; without one, people do say "yes" twice."""
    async with calling(ScriptedSTT("a")) as call:
        ears = await call.listener(0)
        for request_id in ("1", "1", "2", "", ""):
            ears.says("Yes.", request_id=request_id)
        ears.says("End.")
        await until(lambda: call.heard[-1:] == ["End."])
        assert call.heard.count("Yes.") == 4


async def test_ears_that_hang_can_be_given_up() -> None:
    """With what was said, for others; or without it, when the caller is asked to repeat it."""
    async with calling(ScriptedSTT("a"), ScriptedSTT("b")) as call:
        await call.listener(0)
        call.ears.begin_speech()
        said = call.says(10)
        call.ears.rebuild(forget=False)
        await call.listener(1)
        await until(lambda: call.levels(1) == list(said))
        assert not call.ears.owed.answered.is_set()
        call.ears.rebuild(forget=True)
        await call.listener(0, 1)
        later = call.says(2)
        await until(lambda: call.levels(0, 1) == list(later))
        assert call.ears.owed.answered.is_set()


async def test_where_nobody_hears_it_is_tried_again() -> None:
    """Unasked, and at once when somebody speaks."""
    failing = ScriptedSTT("a", *[down() for _ in range(6)])
    async with calling(failing) as call:
        await until(lambda: call.ears.is_resting)
        call.ears.begin_speech()
        said = call.says(3)
        await call.listener(0, 6)
        await until(lambda: call.levels(0, 6) == list(said))
        assert not call.ears.is_resting


async def test_whoever_speaks_wakes_ears_that_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "PAUSES_SECONDS", (600.0,))
    async with calling(ScriptedSTT("a", down(), down())) as call:
        await until(lambda: call.ears.is_resting)
        call.ears.begin_speech()
        await call.listener(0, 2)


async def test_a_line_that_drops_is_tried_again_before_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guarded, "WORKED_SECONDS", 0.0)
    async with calling(ScriptedSTT("a"), ScriptedSTT("b")) as call:
        first = await call.listener(0)
        call.ears.begin_speech()
        said = call.says(10)
        first.fails(down())
        await call.listener(0, 1)
        await until(lambda: call.levels(0, 1) == list(said))
        assert call.models[1].listened == []


async def test_ears_that_end_by_themselves_have_failed() -> None:
    """Without a pause they would be asked as fast as this machine can."""
    model = ScriptedSTT("a")
    async with calling(model) as call:
        for number in range(4):
            ears = await call.listener(0, number)
            ears.failing.set_result(None)
        await until(lambda: call.ears.is_resting)
        assert len(model.listened) <= 6


async def test_the_end_of_the_sound_is_their_end() -> None:
    async with calling(ScriptedSTT("a")) as call:
        await call.listener(0)
        said = call.says(3)
        call.ears.end_input()
        async with asyncio.timeout(5):
            await call.hearing
        assert call.models[0].listened[0].levels == list(said)
        assert call.models[0].listened[0].is_ended


async def test_without_money_they_end() -> None:
    """The call ends with the reason."""
    async with calling(ScriptedSTT("a", NO_MONEY), ScriptedSTT("b")) as call:
        await asyncio.wait({call.hearing}, timeout=5)
        assert isinstance(call.hearing.exception(), Refused)
        assert call.models[1].listened == []
        assert "june.ears.feed" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_the_first_ones_are_tried_again_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between two utterances."""
    monkeypatch.setattr(guarded, "RETURN_SECONDS", 0.0)
    async with calling(ScriptedSTT("a", down()), ScriptedSTT("b")) as call:
        standing_in = await call.listener(1)
        call.ears.begin_speech()
        standing_in.says("Hel", final=False)
        await until(lambda: call.heard == ["Hel"])
        assert len(call.models[0].listened) == 1
        call.ears.owed.end(1.0)
        standing_in.says("Hello.")
        await call.listener(0, 1)
        assert call.heard == ["Hel", "Hello."]


async def test_a_call_that_ends_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    async with calling(ScriptedSTT("a")) as call:
        await call.listener(0)
        call.says(3)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    await call.stt.aclose()


@pytest.mark.parametrize(("is_spoken", "most"), [(False, BEFORE_SECONDS), (True, LONGEST_SECONDS)])
def test_so_much_is_kept(is_spoken: bool, most: float) -> None:
    kept = KeptSound()
    if is_spoken:
        kept.keep_all()
    for level in range(1, 201):
        kept.add(sound(0.1, level))
    assert sum(frame.duration for frame in kept.frames) == pytest.approx(most, abs=0.11)
    assert kept.frames[-1].data[0] == 200
    kept.forget(kept.all_seconds)
    kept.add(sound(0.1))
    assert len(kept.frames) == 1


@asynccontextmanager
async def at_full_length(
    monkeypatch: pytest.MonkeyPatch, call: guard_fakes.Call, *models: Ears
) -> AsyncIterator[GuardedEars]:
    """With June's own pauses, in time that takes none."""
    monkeypatch.setattr(guarded, "PAUSES_SECONDS", PAUSES_SECONDS)
    with flying_time():
        ears = GuardedSTT(told_apart(models), call.guard, ScriptedVAD()).stream()
        await settled()
        yield ears
        await ears.aclose()


async def test_ears_that_worked_and_hang_are_given_up_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Unlike a line that drops: they are not asked first again."""
    call, first, second = guard_fakes.Call(), Ears("a"), Ears("b")
    async with at_full_length(monkeypatch, call, first, second) as ears:
        await asyncio.sleep(WORKED_SECONDS + 1)
        ears.rebuild(forget=False)
        await settled()
        assert (len(first.streams), len(second.streams)) == (1, 1)
        assert call.breakers.told == [("a", "failed")]


async def test_a_line_that_drops_is_a_failure_to_the_breaker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call, first = guard_fakes.Call(), Ears("a")
    async with at_full_length(monkeypatch, call, first) as ears:
        await asyncio.sleep(WORKED_SECONDS + 1)
        ears.begin_speech()
        first.newest.fail(down())
        await settled()
        assert (len(first.streams), first.open) == (2, 1)
        assert call.breakers.told == [("a", "failed")]


@pytest.mark.parametrize("error", [down(), APIStatusError("closed", status_code=1001)])
async def test_a_line_that_is_closed_while_nobody_speaks_is_opened_again(
    monkeypatch: pytest.MonkeyPatch, error: APIError
) -> None:
    """By the same ones, and it is no failure: servers end sessions after a while."""
    call, first, second = guard_fakes.Call(), Ears("a"), Ears("b")
    async with at_full_length(monkeypatch, call, first, second):
        await asyncio.sleep(WORKED_SECONDS + 1)
        first.newest.fail(error)
        await settled()
        assert (len(first.streams), len(second.streams)) == (2, 0)
        assert call.breakers.told == []


async def test_a_probe_that_understands_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All others wait for it."""
    call, first = guard_fakes.Call(), Ears("a", fails=[down() for _ in range(FAILURES)])
    async with at_full_length(monkeypatch, call, first):
        await asyncio.sleep(PAUSES_SECONDS[0] + 0.1)
        call.breakers.seconds += OPEN_SECONDS
        call.breakers.told.clear()
        await asyncio.sleep(PAUSES_SECONDS[1] + 0.1)
        first.newest.say(heard("Hello."))
        await settled()
        assert call.breakers.told == [("a", "useful")]


async def test_a_count_without_words_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Ears("a")
    async with at_full_length(monkeypatch, guard_fakes.Call(), first) as ears:
        ears.begin_speech()
        ears.owed.end(1.0)
        first.newest.say(heard("Hello."), nothing_heard())
        await settled()
        assert (ears.owed.answered.is_set(), ears.owed.has_words) == (True, True)
        ears.begin_speech()
        assert not ears.owed.answered.is_set()
        ears.owed.end(1.0)
        first.newest.say(nothing_heard())
        await settled()
        assert (ears.owed.answered.is_set(), ears.owed.has_words) == (True, False)


async def test_where_nobody_hears_the_pauses_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of this machine are always asked, so their rounds can be counted."""
    local = Ears("local", always=down, provider="local")
    counts: list[int] = []
    async with at_full_length(monkeypatch, guard_fakes.Call(), local):
        for seconds in (*PAUSES_SECONDS, PAUSES_SECONDS[-1]):
            counts.append(len(local.streams))
            await asyncio.sleep(seconds + 0.01)
            await settled()
    assert counts == [1, 2, 3, 4, 5]


async def test_what_is_said_while_nobody_listens_is_heard_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In order, and of very long speech the newest; they do not try again themselves."""
    first = Ears("a", fails=[down(), down()], provider="local")
    async with at_full_length(monkeypatch, guard_fakes.Call(), first) as ears:
        ears.begin_speech()  # wakes them, in vain
        await settled()
        for number in range(1, 201):
            ears.push_frame(numbered(number))
        await settled()
        assert (ears.is_resting, len(first.streams), first.open) == (True, 2, 0)
        await asyncio.sleep(PAUSES_SECONDS[1] + 0.01)
        await settled()
        at_most = int(LONGEST_SECONDS / guard_fakes.FRAME_SECONDS)
        assert first.newest.numbers == list(range(201 - at_most, 201))
        ears.push_frame(numbered(201))
        await settled()
        assert first.newest.numbers[-2:] == [200, 201]
        assert set(first.retries) == {0}


async def test_a_flush_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """LiveKit's own ends with one, and with whatever is said after it."""
    first = Ears("a")
    async with at_full_length(monkeypatch, guard_fakes.Call(), first) as ears:
        ears.push_frame(numbered(1))
        ears.flush()
        ears.push_frame(numbered(2))
        await settled()
        assert (first.newest.numbers, first.newest.has_all) == ([1, 2], False)
        ears.flush()
        ears.end_input()
        async with asyncio.timeout(5):
            assert [event async for event in ears] == []
        assert (first.newest.has_all, first.open, len(first.streams)) == (True, 0, 1)
