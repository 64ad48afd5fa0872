"""What belongs to which skill, which do not go together, and what words ask for."""

import time
from dataclasses import replace
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from skills import Ability, AnyMode, Heard, Mode, Say, Skill, SkillConflict, Step, ability
from skills.phrases import Phrases
from skills.registry import Begin, Registry, Use
from skills.words import words_of


class Nothing(BaseModel):
    """A state with nothing in it."""


def an_ability(name: str, *phrases: str, heard_as: tuple[str, ...] = ()) -> Ability:
    async def function() -> str:
        """Do it."""
        return "Done."

    function.__name__ = name
    return ability(phrases=phrases, heard_as=heard_as)(function)


def a_mode(name: str, *triggers: str, **attributes: Any) -> AnyMode:
    class Some(Mode[Nothing]):
        description = "Some mode."
        state = Nothing

        def begin(self, heard: Heard) -> Step[Nothing]:
            return Step(Nothing(), Say("Go."))

        def step(self, state: Nothing, heard: Heard) -> Step[Nothing]:
            return Step(None, Say("End."))

    for attribute, value in {"name": name, "triggers": triggers, **attributes}.items():
        setattr(Some, attribute, value)
    return Some()


def skill(name: str, *abilities: Ability, modes: tuple[AnyMode, ...] = (), file: str = "") -> Skill:
    return Skill(name, file or f"/skills/{name}.py", f"do {name}", abilities, modes)


@ability(phrases=["(remember|note) {text}", "note that {text}"])
async def remember(text: str) -> str:
    """Remember something."""
    return f"I'll remember {text}."


@ability(phrases=["toss {count} coins", "toss a coin"])
async def toss(count: int = 1) -> str:
    """Toss coins."""
    return f"Tossed {count}."


@ability(phrases=["play {piece}"])
async def play(piece: str) -> str:
    """Play a piece of music."""
    return piece


@ability(phrases=["play {game} with me", "play {game} again"])
async def game(game: Literal["chess", "go fish"]) -> str:
    """Play a game."""
    return game


def find(registry: Registry, text: str) -> object:
    return registry.find(words_of(text))


def test_all_are_listed_by_name() -> None:
    """With the abilities that only a mode has."""
    inner = an_ability("inner", "inner words")
    outer = an_ability("outer", "outer words")
    mode = a_mode("story", "story mode", abilities=(inner,))
    first, second = skill("first", outer), skill("second", modes=(mode,))
    registry = Registry([first, second])
    assert registry.skills == (first, second)
    assert registry.abilities == {"outer": outer, "inner": inner}
    assert registry.modes == {"story": mode}
    assert registry.skill_of("outer") is first
    assert registry.skill_of("inner") is registry.skill_of("story") is second
    with pytest.raises(KeyError):
        registry.skill_of("none")
    assert find(registry, "outer words") == Use(outer, {})
    assert find(registry, "inner words") is None


def test_words_find_what_they_ask_for() -> None:
    """Whole utterances, politely or not; what is not asked for is not found."""
    mode = a_mode("story", "tell me a (story|tale)", "story about {topic}")
    registry = Registry([skill("coins", toss), skill("tales", modes=(mode,))])
    assert find(registry, "June, could you please toss a coin? Thanks!") == Use(toss, {})
    assert find(registry, "toss twenty five coins") == Use(toss, {"count": 25})
    assert find(registry, "Tell me a tale, please.") == Begin(mode, {})
    assert find(registry, "story about the Old Bear") == Begin(mode, {"topic": "the Old Bear"})
    assert find(registry, "he did not toss a coin") is None
    assert find(registry, "toss some coins") is None
    assert find(registry, "") is None


def test_most_literal_words_win_over_all_skills() -> None:
    """In whatever order they are loaded."""
    music, games = skill("music", play), skill("games", game)
    for registry in (Registry([music, games]), Registry([games, music])):
        assert find(registry, "play chess with me") == Use(game, {"game": "chess"})
        assert find(registry, "play Go Fish again") == Use(game, {"game": "go fish"})
        assert find(registry, "play Für Elise") == Use(play, {"piece": "Für Elise"})


def test_every_wording_is_found() -> None:
    """Also where two phrases share most of their words."""
    phrases = ("(start|open) [the] (door|gate) [to the] garden", "open [up] the garden")
    heard = ("(opened|oven) the gate",)
    one = an_ability("one", *phrases, heard_as=heard)
    two = an_ability("two", "close [the] (door|gate) [to the] garden", "open the house")
    registry = Registry([skill("first", one), skill("second", two)])
    for wanted in (one, two):
        spoken = Phrases(wanted.phrases, heard_as=wanted.heard_as).expansions()
        assert len(spoken) > 8
        assert all(find(registry, wording) == Use(wanted, {}) for wording in spoken)


def test_what_recognition_makes_of_a_phrase_is_found() -> None:
    """It is data beside the phrase."""
    mimic = an_ability("dance", "dance with me", heard_as=("dents with me",))
    assert find(Registry([skill("dancing", mimic)]), "dents with me") == Use(mimic, {})


def conflict(*skills: Skill) -> str:
    with pytest.raises(SkillConflict) as caught:
        Registry(skills)
    assert "\nhint: " in str(caught.value)
    return str(caught.value)


def test_two_skills_of_one_name() -> None:
    """Both files are named."""
    text = conflict(
        skill("one", an_ability("a"), file="/a/one.py"),
        skill("one", an_ability("b"), file="/b/one.py"),
    )
    assert "`one`" in text
    assert "/a/one.py" in text
    assert "/b/one.py" in text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (skill("one", an_ability("same")), skill("two", an_ability("same"))),
        (skill("one", an_ability("same")), skill("two", modes=(a_mode("same"),))),
        (
            skill("one", an_ability("same")),
            skill("two", modes=(a_mode("other", abilities=(an_ability("same"),)),)),
        ),
    ],
)
def test_two_things_of_one_name(first: Skill, second: Skill) -> None:
    """The model calls both by name."""
    text = conflict(first, second)
    for named in ("`one` (/skills/one.py)", "`two` (/skills/two.py)", "`same`"):
        assert named in text


def test_two_things_of_one_name_in_one_skill() -> None:
    """A mode and an ability."""
    text = conflict(skill("one", an_ability("same"), modes=(a_mode("same"),)))
    assert "`one` (/skills/one.py) has twice" in text


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("tell me a story", "tell me a story", "tell me a story"),
        ("tell me a story", "Tell me a (joke|story)!", "tell me a story"),
        ("[tell me] a story", "a (good|) story", "a story"),
        ("what's the colour", "what is the color", "what is the color"),
        ("translate to {a}", "translate [this] to {b}", "translate to {}"),
    ],
)
def test_one_phrase_in_two_skills(first: str, second: str, shared: str) -> None:
    """However it is written."""
    text = conflict(
        skill("one", modes=(a_mode("m", first),)), skill("two", modes=(a_mode("n", second),))
    )
    for named in ("`one` (/skills/one.py)", "`two` (/skills/two.py)", f'"{shared}"'):
        assert named in text


def test_one_phrase_in_the_hearing_of_two_skills() -> None:
    """What recognition makes of one phrase is the other."""
    text = conflict(
        skill("one", an_ability("a", "dance now")),
        skill("two", an_ability("b", "dense now", heard_as=("dance now",))),
    )
    assert '"dance' in text


def test_an_ability_may_repeat_itself() -> None:
    """Two of its phrases may meet in one wording."""
    twice = an_ability("a", "toss [a] coin", "toss a (coin|stone)")
    assert find(Registry([skill("one", twice)]), "toss a coin") == Use(twice, {})


@pytest.mark.parametrize(
    "name", ["begin_skill", "begin_recording", "leave_skill", "answer_question"]
)
def test_junes_own_tools_are_hers(name: str) -> None:
    """A skill that is called so would take them from the model."""
    assert f"`{name}`" in conflict(skill("one", an_ability(name)))


def test_a_phrase_that_cannot_be_read_is_named() -> None:
    """Whoever makes a registry by hand reads which."""
    with pytest.raises(ValueError, match=r"`a`.*toss \[a coin"):
        Registry([skill("one", an_ability("a", "toss [a coin"))])
    with pytest.raises(ValueError, match="heard_as"):
        Registry([skill("one", an_ability("a", heard_as=("toss",)))])


def test_finding_is_quick() -> None:
    """It comes before any model, in every turn."""
    skills = [
        skill(
            f"skill{n}",
            an_ability(f"ability{n}", f"(start|begin|open) [the] thing {n} [now|again]"),
            an_ability(f"other{n}", f"what (is|was) [the] number {n + 1_000}"),
        )
        for n in range(30)
    ]
    registry = Registry([*skills, skill("coins", toss), skill("notes", remember)])
    utterances = [
        words_of("so I was thinking that we could perhaps go to the lake on Sunday afternoon"),
        words_of("June, could you please start the thing twenty three now, thanks"),
        words_of("what is the capital of the country that my sister went to last year"),
        words_of("yes"),
    ]
    took_seconds = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(10):
            for words in utterances:
                registry.find(words)
        took_seconds.append((time.perf_counter() - began) / 40)
    print(f"find: {min(took_seconds) * 1e3:.2f} ms over 60 phrases")
    assert min(took_seconds) < 0.002


def test_a_sentence_of_an_utterance_may_ask_for_something() -> None:
    """The last one that does; but some things are meant only if nothing is said after them."""
    coin = an_ability("flip", "toss a coin")
    bye = replace(an_ability("leave", "good bye"), last_words=True)
    registry = Registry([skill("play", coin, bye)])
    for said in (
        "I am bored. Toss a coin.",
        "Toss a coin. I bet on heads.",
        "Toss a coin! Please.",
    ):
        assert find(registry, said) == Use(coin, {}), said
    assert find(registry, "I have to leave. Goodbye.") == Use(bye, {})
    for said in ("Goodbye. No, wait.", "He said. No. Then. He. Left. Toss a coin. And more."):
        assert find(registry, said) is None, said
