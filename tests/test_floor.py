"""Which skill has the floor: begun, stepped, left, confirmed, resumed; and only at commit."""

import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from session import SkillSession
from session.floor import Floor
from session.mode_steps import ModeSteps
from session.outcomes import ANSWER, Answered, CallCan, Line, Own, Spoken, UseTool
from session.records import Unheard
from skills import Alarm, ByModel, Effect, Heard, Mode, Say, SetAlarm, Skill, Step, ability
from skills.registry import Registry
from skills.runner import Runner

NOW = datetime(2026, 11, 25, 17, 5, tzinfo=UTC)
ALARM = Alarm("tea", NOW, "tea", "Your tea is ready.")


ROLLS = itertools.count()


class Count(BaseModel):
    number: int = 0


class Counting(Mode[Count]):
    """Counts; knows how to fail in several ways."""

    name = "counting"
    description = "Counts when the caller wants to count."
    triggers = ("(count|let us count) [from {start}]",)
    slots: ClassVar[Mapping[str, Any]] = {"start": int}
    exits = ("enough numbers",)
    max_turns = 3
    state = Count

    def begin(self, heard: Heard) -> Step[Count]:
        start = heard.slots.get("start") or 0
        return Step(Count(number=start), Say(f"I begin at {start}."))

    def step(self, state: Count, heard: Heard) -> Step[Count]:
        following = Count(number=state.number + 1)
        match heard.text:
            case "fail":
                raise ZeroDivisionError("the caller's words")
            case "nothing":
                return Step(following, Say("…"))
            case "alarm":
                return Step(following, Say("Set."), (SetAlarm(ALARM),))
            case "model":
                return Step(following, ByModel("Say a number.", language="fr"))
            case "roll" | "roll it":
                return Step(following, Say(f"{next(ROLLS)}."))
            case "over":
                return Step(None, Say("That was all."))
            case "long":
                return Step(following, Say("A word. " * 5_000))
        left = "" if heard.turns_left else " It is the last one."
        return Step(following, Say(f"{following.number}.{left}"))

    def instructions(self, state: Count) -> str:
        return f"The number is {state.number}."

    def interrupted(self, state: Count, said: str, heard: str) -> Count:
        return state if heard == said else Count(number=state.number - 1)

    def upgraded(self, version: int, state: Mapping[str, Any]) -> Count | None:
        return Count(number=state["n"]) if version == 0 and "n" in state else None


class Asking(Counting):
    name = "asking"
    triggers = ("ask first",)
    confirmation = "Are you sure?"


class Greedy(Counting):
    name = "greedy"
    triggers = ("greedy mode",)
    takes_all = True


@ability(phrases=["throw [a] die with {sides} sides"])
async def throw(sides: int) -> str:
    """Throw a die."""
    return str(sides)


SKILL = Skill("numbers", "numbers.py", "count", (throw,), (Counting(), Asking(), Greedy()))


class Call:
    """A floor, and what it has done."""

    def __init__(self, runner: Runner, skill: SkillSession | None, **can: Any) -> None:
        self.kept: list[SkillSession | None] = []
        self.unheard: list[Unheard | None] = []
        self.done: list[tuple[Sequence[Effect], str]] = []
        self.languages: list[str] = []
        self.turn = 0
        self.is_listening = True
        self.floor = Floor(
            ModeSteps(
                Registry([SKILL]), runner, CallCan(**{"has_model": True, **can}), lambda: NOW
            ),
            skill,
            keep=self._keep,
            carry_out=lambda effects, skill: self.done.append((effects, skill)),
            speak_in=self.languages.append,
        )

    def _keep(self, skill: SkillSession | None) -> None:
        """Apart from what is still to be heard, which `unheard` is about."""
        self.unheard.append(None if skill is None else skill.unheard)
        bare = None if skill is None else skill.model_copy(update={"unheard": None})
        if self.kept[-1:] != [bare]:
            self.kept.append(bare)

    async def says(self, text: str) -> Any:
        """A turn that is considered, committed, and whose tool is used, as LiveKit does."""
        self.turn += 1
        outcome = await self.floor.hear(self.turn, text)
        self.floor.commit(self.turn, text)
        if isinstance(outcome, UseTool) and outcome.name.startswith("begin_"):
            name = outcome.name.removeprefix("begin_")
            outcome = await self.floor.begin(name, outcome.arguments)
        if isinstance(outcome, Spoken) and self.is_listening:
            self.floor.said(outcome.text, interrupted=False)
        return outcome


@pytest.fixture
async def runner() -> AsyncIterator[Runner]:
    runner = Runner()
    yield runner
    await runner.aclose()


@pytest.fixture
def call(runner: Runner) -> Call:
    return Call(runner, None)


def counting(number: int, *, name: str = "counting", **more: Any) -> SkillSession:
    given = {"version": 1, "state": {"number": number}, "started_at": NOW.timestamp()}
    return SkillSession(name=name, **{**given, **more})


async def test_a_phrase_begins_a_mode_and_another_one_ends_it(call: Call) -> None:
    """In between every turn is the mode's."""
    assert await call.says("Could you count from five, please?") == Spoken("I begin at 5.")
    assert await call.says("hm") == Spoken("6.")
    assert await call.says("That's enough, thanks.") == Line(Own.LEFT)
    assert await call.says("hm") == Answered()
    assert call.kept == [counting(5), counting(6, turns=1), None]


@pytest.mark.parametrize("said", ["enough numbers", "Leave the counting, please.", "stop counting"])
async def test_a_mode_is_left_by_its_own_exits_and_its_name(call: Call, said: str) -> None:
    """Beside the usual ones."""
    await call.says("count")
    assert await call.says(said) == Line(Own.LEFT)


async def test_what_nobody_asked_for_is_the_models(call: Call) -> None:
    """Also words that only sound like a phrase."""
    assert await call.says("How do I count sheep?") == Answered()
    assert await call.says("stop") == Answered()
    assert call.kept == []


async def test_a_phrase_of_an_ability_is_a_tool_of_junes(call: Call) -> None:
    """With its arguments; inside a mode it leaves the mode as it is."""
    use = UseTool("throw", {"sides": 6})
    assert await call.says("throw a die with six sides") == use
    await call.says("count")
    assert await call.says("throw a die with six sides") == use
    assert call.kept == [counting(0)]


async def test_a_turn_that_is_only_considered_changes_nothing(call: Call) -> None:
    """However often, on whatever words; the committed words count, and once."""
    await call.says("count")
    for text in ("alarm", "over", "stop", "alarm"):
        await call.floor.hear(2, text)
    assert (call.kept, call.done) == ([counting(0)], [])
    call.floor.commit(2, "alarm")
    call.floor.commit(2, "alarm")
    assert await call.floor.hear(2, "alarm") == Spoken("Set.")
    assert call.kept == [counting(0), counting(1, turns=1)]
    assert call.done == [((SetAlarm(ALARM),), "numbers")]


async def test_a_mode_is_asked_once_about_the_same_words(call: Call) -> None:
    """However often LiveKit asks June; a random mode says the same thing to the same turn."""
    await call.says("count")
    first = await call.floor.hear(2, "roll")
    assert [await call.floor.hear(2, "roll") for _ in range(3)] == [first] * 3
    assert await call.floor.hear(2, "roll it") != first


async def test_a_turn_may_be_committed_before_it_is_considered(call: Call) -> None:
    """A reply that is generated late takes effect at once."""
    await call.says("count")
    call.floor.commit(2, "alarm")
    assert call.done == []
    assert await call.floor.hear(2, "alarm") == Spoken("Set.")
    assert len(call.done) == 1


async def test_a_turn_that_was_considered_too_early_takes_the_floor_from_nobody(
    call: Call,
) -> None:
    """The tool of the turn before may begin a mode after LiveKit has asked about this one."""
    await call.floor.hear(1, "count")
    call.floor.commit(1, "count")
    assert await call.floor.hear(2, "How is the weather?") == Answered()
    await call.floor.begin("counting", {})
    call.floor.commit(2, "How is the weather?")
    assert call.kept == [counting(0)]


async def test_a_turn_that_was_never_considered_is_nobodys(call: Call) -> None:
    """One that is refused is committed all the same."""
    await call.says("count")
    call.floor.commit(2, "over")
    assert call.kept == [counting(0)]


async def test_a_mode_ends_by_itself(call: Call) -> None:
    """When it says so, and at the cap of its turns, of which its last reply knows."""
    await call.says("count")
    assert await call.says("over") == Spoken("That was all.")
    assert call.kept[-1] is None
    await call.says("count")
    said = [(await call.says("hm")).text for _ in range(3)]
    assert said == ["1.", "2.", "3. It is the last one."]
    assert call.kept[-1] is None
    assert await call.says("hm") == Answered()


async def test_the_model_is_given_the_modes_instructions(call: Call) -> None:
    """And its voice the language of the reply, until the next one."""
    await call.says("count")
    outcome = await call.says("model")
    assert outcome == Answered("The number is 1.\n\nSay a number.", "fr")
    assert call.floor.instructions == "The number is 1.\n\nSay a number."
    await call.says("hm")
    assert call.languages == ["", "", "fr", ""]
    await call.says("stop")
    assert call.floor.instructions == ""


@pytest.mark.parametrize("text", ["fail", "nothing"])
async def test_a_mode_that_fails_is_over_in_words(call: Call, text: str) -> None:
    """The caller has June back."""
    await call.says("count")
    assert await call.says(text) == Line(Own.FAILED)
    assert call.kept[-1] is None


async def test_a_mode_that_asks_for_a_model_fails_without_one(runner: Runner) -> None:
    """It is told whether there is one."""
    call = Call(runner, counting(0), has_model=False)
    assert await call.says("model") == Line(Own.FAILED)


async def test_a_reply_of_five_thousand_words_is_cut(call: Call) -> None:
    """At the end of a sentence."""
    await call.says("count")
    said = (await call.says("long")).text
    assert 1_000 < len(said) <= 2_000
    assert said.endswith("word.")


async def test_a_mode_that_takes_all_is_left_only_by_an_exit(call: Call) -> None:
    """Phrases of others are its words."""
    await call.says("greedy mode")
    assert await call.says("throw a die with six sides") == Spoken("1.")
    assert await call.says("count") == Spoken("2.")
    assert await call.says("exit") == Line(Own.LEFT)


async def test_another_mode_takes_the_floor(call: Call) -> None:
    """The first one is over. What begins a mode is, inside it, one of its turns."""
    await call.says("count from 5")
    assert await call.says("count from 3") == Spoken("6.")
    assert await call.says("greedy mode") == Spoken("I begin at 0.")
    assert call.kept[-1] == counting(0, name="greedy")


@pytest.mark.parametrize(
    ("answers", "outcomes"),
    [
        (["yes please"], [Spoken("I begin at 0.")]),
        (["nah"], [Line(Own.CANCELED)]),
        (["stop"], [Line(Own.CANCELED)]),
        (["Back to normal, please."], [Line(Own.CANCELED)]),
        (["what do you mean", "go ahead"], [Line(Own.UNCLEAR), Spoken("I begin at 0.")]),
        (["hm?", "who knows"], [Line(Own.UNCLEAR), Line(Own.CANCELED)]),
        (["hm?", "maybe later"], [Line(Own.UNCLEAR), Line(Own.CANCELED)]),
    ],
)
async def test_a_mode_may_ask_first(
    call: Call, answers: Sequence[str], outcomes: Sequence[Any]
) -> None:
    """Yes, no, and what is neither, once."""
    assert await call.says("ask first") == Spoken("Are you sure?")
    assert [await call.says(answer) for answer in answers] == outcomes
    begins = isinstance(outcomes[-1], Spoken)
    assert call.kept[-1] == (counting(0, name="asking") if begins else None)


async def test_a_crashed_call_goes_on_inside_the_mode(runner: Runner) -> None:
    """Also in its confirmation."""
    assert await Call(runner, counting(7, turns=1)).says("hm") == Spoken("8.")
    asking = counting(0, name="asking", stage="confirming", state={"start": 3})
    assert await Call(runner, asking).says("yes") == Spoken("I begin at 3.")


@pytest.mark.parametrize(
    ("left", "outcome"),
    [
        (counting(0, version=0, state={"n": 4}), Spoken("5.")),
        (counting(0, version=0, state={"m": 4}), Line(Own.FAILED)),
        (counting(0, version=2), Line(Own.FAILED)),
        (counting(0, state={"number": "many"}), Line(Own.FAILED)),
        (counting(0, name="gone"), Line(Own.FAILED)),
    ],
)
async def test_state_of_another_version_is_upgraded_or_given_up(
    runner: Runner, left: SkillSession, outcome: Any
) -> None:
    """A mode that is no longer there is given up too."""
    assert await Call(runner, left).says("hm") == outcome


async def test_what_the_caller_did_not_hear_is_told_to_the_mode(call: Call) -> None:
    """Of its own replies: not of a tool's, and not of an alarm that was talked over."""
    await call.says("count")
    call.is_listening = False
    await call.says("hm")
    call.floor.said("Your tea timer", interrupted=True)
    call.floor.said("1", interrupted=True)
    assert call.unheard[-1] == Unheard(said="1.", heard="1")
    await call.says("throw a die with six sides")
    call.floor.said("si", interrupted=True)
    assert await call.says("hm") == Spoken("1.")
    call.floor.said("1. Just so you know, I can't answer many more.", interrupted=False)
    assert call.unheard[-1:] == [None]
    assert await call.says("hm") == Spoken("2. It is the last one.")


async def test_a_reply_of_which_nothing_was_heard_was_not_heard(runner: Runner) -> None:
    """Nor one that a crash cut off: whoever resumes the call knows it."""
    call = Call(runner, None)
    await call.says("count")
    call.is_listening = False
    await call.says("hm")
    assert await call.says("hm") == Spoken("1.")
    resumed = Call(runner, call.floor.skill)
    assert await resumed.says("hm") == Spoken("1. It is the last one.")


async def test_a_mode_that_is_declined_gives_the_floor_back(call: Call) -> None:
    """To the one that had it."""
    await call.says("count from 5")
    assert await call.says("ask first") == Spoken("Are you sure?")
    assert await call.says("No, thanks.") == Line(Own.CANCELED)
    assert await call.says("hm") == Spoken("6.")


async def test_who_wants_out_gets_out_though_nobody_was_asked(call: Call) -> None:
    """An attempt may be cancelled before it is considered; the turn is committed all the same."""
    await call.says("count")
    call.floor.commit(2, "Stop.")
    assert call.kept[-1] is None
    assert await call.floor.hear(2, "Stop.") == Line(Own.LEFT)
    assert await call.floor.hear(3, "hm") == Answered()


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("Ja, bitte.", Spoken("I begin at 0.")),
        ("Nein danke!", Line(Own.CANCELED)),
        ("Hör auf.", Line(Own.CANCELED)),
        ("Wie bitte?", Line(Own.UNCLEAR)),
    ],
)
async def test_a_german_caller_answers_in_german(runner: Runner, said: str, outcome: Any) -> None:
    """And leaves in German; phrases are the model's business there."""
    asking = counting(0, name="asking", stage="confirming", state={})
    assert await Call(runner, asking, language="de").says(said) == outcome
    assert await Call(runner, counting(3), language="de").says("Stopp, danke.") == Line(Own.LEFT)
    assert isinstance(
        await Call(runner, counting(3), language="de").says("An der Bushaltestelle."), Spoken
    )


async def test_the_answer_to_a_question_goes_to_who_asked(call: Call) -> None:
    """An exit takes the question back."""
    call.floor.has_question = True
    assert await call.says("Count the eggs") == UseTool(ANSWER, {"answer": "Count the eggs"})
    assert await call.says("cancel") == UseTool(ANSWER, {"answer": ""})


async def test_in_another_language_the_model_chooses(runner: Runner) -> None:
    """Phrases are English."""
    call = Call(runner, None, language="de")
    assert await call.says("count") == Answered()


async def test_leaving_by_tool_is_leaving(call: Call) -> None:
    """The model understood what no phrase did."""
    await call.says("count")
    assert call.floor.leave() == Line(Own.LEFT)
    assert call.floor.leave() == Answered()
    assert call.kept == [counting(0), None]
