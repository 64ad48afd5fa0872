"""What June says about herself: made from the skills that are there, and short."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from skill_fakes import FakePorts

import skills.help
from skills import Skill, ability
from skills.as_said import as_said
from skills.collecting import skill_of_module
from skills.help import MOST_TOLD, what_can_you_do
from skills.loading import BUILT_IN
from skills.registry import Registry, Use
from skills.words import words_of

REGISTRY = Registry([skill_of_module(skills.help)])

ALL = (
    "I can tell the time, set timers, keep notes, tell stories, translate, "
    "and speak with your voice."
)
MODEL = "For anything else I need a language model."

ASKED = [
    *("What can you do?", "what else can you do", "Help!", "help me", "what are you able to do"),
    *("what are your skills", "what can I ask you", "what can I say", "What else can I ask?"),
    *("How can you help me?", "what do you do", "so, what can you do for me", "list your skills"),
    *("tell me what you can do", "what are my options", "what skills do you have", "I need help"),
    *("what kind of things can I ask you", "what are you capable of", "what can June do"),
    *("can you help me", "could you help me, please", "how does this work", "tell me your skills"),
    *("June, what can you help me with?", "tell me about your skills", "what all can you do"),
]
NOT_ASKED = [
    *("how does a car work", "how do I use a compass", "help me with my homework", "help yourself"),
    *("can you help my brother move", "I can't help it", "help wanted", "is this the help desk"),
    *("what can you do about it", "what do you do when it rains", "help me write a letter"),
    *("how does the stock market work", "how can I use flour", "what can I do about my headache"),
    *("how do I open a jar", "tell me about your mother", "what do you know about cheese"),
    *("how do I stop smoking", "how do I make a cake", "how do I tell my boss", "nobody helps me"),
]
SAY = "Say, for example:"
OF_ONE = {
    "how do I use timers": f"I can set timers. {SAY} set a timer",
    "how do I set a timer?": f"I can set timers. {SAY} set a timer",
    "how do I cancel an alarm": f"I can set timers. {SAY}",
    "what can you do with notes": f"I can keep notes. {SAY} take a note to buy milk, or: ",
    "help me with my notes, please": f"I can keep notes. {SAY}",
    "how do I make a note": f"I can keep notes. {SAY}",
    "how does the translator work": f"I can translate. {SAY} translate",
    "how do stories work": f"I can tell stories. {SAY} tell me a story, or: ",
    "how do I hear a story": f"I can tell stories. {SAY}",
    "how does the clock work": f"I can tell the time. {SAY} what time is it, or: what day is it.",
    "how do I use the pirate skill": (
        f"I can talk like a pirate. {SAY} ahoy matey, or: hoist the flag."
    ),
    "how do I use the banana skill": "I have no skill for that. I can tell the time, ",
}


@ability(phrases=["avast {vessel}", "(ahoy|hoy) [there] matey", "hoist the flag", "walk the plank"])
async def talk_like_a_pirate(vessel: str = "") -> str:
    """Talk like a pirate."""
    return f"Arr, {vessel}."


@ability
async def think() -> str:
    """For the model alone."""
    return "Hm."


def skill(name: str, told: str, *abilities: Any) -> Skill:
    return Skill(name=name, file="?", help=told, abilities=abilities)


def built_in() -> list[Skill]:
    return [skill_of_module(__import__(f"skills.{name}", fromlist=[name])) for name in BUILT_IN]


async def asked(text: str, skills: Sequence[Skill], *, has_model: bool = False) -> str:
    """What June says to it."""
    found = REGISTRY.find(words_of(text))
    assert isinstance(found, Use), text
    arguments = found.ability.arguments.model_validate(dict(found.slots))
    return await found.ability.use(FakePorts(skills=skills, has_model=has_model), arguments)


async def about(topic: str, *skills: Skill) -> str:
    arguments = what_can_you_do.arguments.model_validate({"about": topic})
    return await what_can_you_do.use(FakePorts(skills=skills), arguments)


@pytest.mark.parametrize("text", ASKED)
async def test_june_says_what_she_can_do(text: str) -> None:
    """All skills that are asked for by name; and without a model that the rest needs one."""
    assert await asked(text, built_in()) == f"{ALL} {MODEL}"
    assert await asked(text, built_in(), has_model=True) == f"{ALL} What would you like?"


@pytest.mark.parametrize("text", NOT_ASKED)
def test_who_asks_for_other_help_is_not_told_it(text: str) -> None:
    """A model may know, or June says that she does not."""
    assert REGISTRY.find(words_of(text)) is None


@pytest.mark.parametrize(("text", "told"), OF_ONE.items())
async def test_one_skill_is_explained_by_its_phrases(text: str, told: str) -> None:
    """Two of them, as a person says them."""
    pirate = skill("pirate", "talk like a pirate", talk_like_a_pirate)
    answer = await asked(text, [*built_in(), pirate])
    assert answer.startswith(told)
    assert not set(answer) & set("[](){}|")


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ((), "I can talk with you."),
        (("swim",), "I can swim."),
        (("swim", "sing"), "I can swim and sing."),
        (("swim", "sing", "fly"), "I can swim, sing, and fly."),
    ],
)
async def test_a_list_is_said_as_people_say_it(names: Sequence[str], told: str) -> None:
    """Of one skill, of two, of several."""
    skills = [skill(name, name, think) for name in names]
    assert await asked("help", skills) == f"{told} {MODEL}"


async def test_many_skills_are_not_all_told() -> None:
    """Nobody keeps them in mind; there is a way to the others."""
    skills = [skill(f"skill{number}", f"do {number}", think) for number in range(MOST_TOLD + 1)]
    told = await asked("what can you do", skills, has_model=True)
    assert told.count("do ") == MOST_TOLD
    assert "And more" in told


async def test_a_skill_without_phrases_is_just_asked_for() -> None:
    """It is the model's, or has no help."""
    assert await about("thinking", skill("thinking", "think", think)) == (
        "I can think. Just ask me for it."
    )
    assert await about("thinking", skill("thinking", "", think)) == (
        "I can thinking. Just ask me for it."
    )


async def test_a_skill_that_is_not_there_is_not_explained_by_another() -> None:
    """The clock is not about timers."""
    clock = next(one for one in built_in() if one.name == "clock")
    assert (await about("timers", clock)).startswith("I have no skill for that.")
    assert (await about("x" * 99, clock)).startswith("I have no skill for that.")


@pytest.mark.parametrize("topic", ["", " ", "?"])
async def test_no_topic_is_every_topic(topic: str) -> None:
    """A model may fill in anything."""
    assert (await about(topic, *built_in())).startswith(ALL)


@pytest.mark.parametrize("arguments", [{"about": 7}, {"about": None}, {"topic": "timers"}])
def test_arguments_of_the_wrong_type_are_refused(arguments: dict[str, Any]) -> None:
    """Before the skill is used."""
    with pytest.raises(ValidationError):
        what_can_you_do.arguments.model_validate(arguments)


@given(topic=st.text(max_size=80))
async def test_anything_may_be_asked_about(topic: str) -> None:
    """The answer is a sentence."""
    assert (await about(topic, skill("pirate", "swim", talk_like_a_pirate)))[-1] == "."


@pytest.mark.parametrize(
    ("pattern", "read"),
    [
        ("(set|start) [a|the] timer for {seconds} [called {name}]", "set a timer for 5 minutes"),
        ("(set|start) [a|an] {seconds} timer", "set a 5 minute timer"),
        ("set [a] alarm [for|at] {at}", "set an alarm for 7 o'clock"),
        ("what (is|(was|were)) [the [exact] time] in {place}", "what is in Tokyo"),
        ("what can i say", "what can I say"),
        ("sing {song}", "sing song"),
    ],
)
def test_a_phrase_is_read_as_a_person_would_say_it(pattern: str, read: str) -> None:
    """With the first choices, and the little words that make it read well."""
    assert as_said(pattern) == read


def test_no_phrase_of_a_built_in_skill_is_read_with_signs() -> None:
    """All of them can be shown and said."""
    for one in built_in():
        patterns = [phrase for tool in one.abilities for phrase in tool.phrases]
        patterns += [trigger for mode in one.modes for trigger in mode.triggers]
        assert not any(set(as_said(pattern)) & set("[](){}|") for pattern in patterns)
