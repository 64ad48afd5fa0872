"""All skills of a process: what belongs to which, and what a caller's words ask for."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from skills.ability import Ability
from skills.conflicts import check_names, check_phrases
from skills.mode import AnyMode
from skills.phrases import Match, Phrases
from skills.skill import Skill
from skills.triggers import Target, all_of, outer_of, phrases_of
from skills.words import Words, sentences_of


@dataclass(frozen=True)
class Use:
    """A phrase of an ability."""

    ability: Ability
    slots: Mapping[str, Any]
    """Not validated yet: a number may be out of range."""


@dataclass(frozen=True)
class Begin:
    """A trigger of a mode."""

    mode: AnyMode
    slots: Mapping[str, Any]


Found = Use | Begin


class Registry:
    """Lives as long as its process; serves all calls, from any thread.

    Raises:
        SkillConflict: if two of the skills cannot be told apart.
        ValueError: if a phrase cannot be read.
    """

    def __init__(self, skills: Sequence[Skill]) -> None:
        self.skills = tuple(skills)
        check_names(self.skills)
        owned = [(skill, target) for skill in self.skills for target in all_of(skill)]
        self.abilities: Mapping[str, Ability] = MappingProxyType(
            {target.name: target for _, target in owned if isinstance(target, Ability)}
        )
        """By name; also those that the model has in one mode only."""
        self.modes: Mapping[str, AnyMode] = MappingProxyType(
            {mode.name: mode for skill in self.skills for mode in skill.modes}
        )
        self._owners = {target.name: skill for skill, target in owned}
        spoken = [
            (skill, target, phrases)
            for skill in self.skills
            for target in outer_of(skill)
            if (phrases := phrases_of(target)) is not None
        ]
        check_phrases(spoken)
        self._spoken = tuple((phrases, target) for _, target, phrases in spoken)
        self._by_word = _by_rare_word([phrases for phrases, _ in self._spoken])

    def skill_of(self, name: str) -> Skill:
        """Whose ability or mode it is.

        Raises:
            KeyError: if there is none of that name.
        """
        return self._owners[name]

    def find(self, words: Words) -> Found | None:
        """What an utterance, or else a sentence of it, asks for.

        Of several phrases the one that shares most words with it wins, of several sentences the
        last.
        """
        found = self._find(words)
        if found is not None:
            return found
        sentences = sentences_of(words)
        for place, sentence in enumerate(reversed(sentences)):
            found = self._find(sentence)
            is_taken_back = isinstance(found, Use) and found.ability.last_words and place > 0
            if found is not None and not is_taken_back:
                return found
        return None

    def _find(self, words: Words) -> Found | None:
        best: tuple[tuple[int, int], Found] | None = None
        places = {
            place for word in set(words.plain.split()) for place in self._by_word.get(word, ())
        }
        for place in sorted(places):
            phrases, target = self._spoken[place]
            match = phrases.match(words)
            if match is not None and (best is None or _closeness(match) > best[0]):
                best = (_closeness(match), _found(target, match))
        return None if best is None else best[1]


def _by_rare_word(all_phrases: Sequence[Phrases]) -> Mapping[str, Sequence[int]]:
    """The places of the phrases that a word may belong to; most words belong to none.

    Each wording is found by one of its words, the one that the fewest wordings have.
    """
    wordings = [
        [{word for word in wording.split() if word[0] != "{"} for wording in phrases.expansions()]
        for phrases in all_phrases
    ]
    often = Counter(word for some in wordings for words in some for word in words)
    places: defaultdict[str, set[int]] = defaultdict(set)
    for place, some in enumerate(wordings):
        for words in some:
            places[min(sorted(words), key=often.__getitem__)].add(place)
    return {word: tuple(found) for word, found in places.items()}


def _closeness(match: Match) -> tuple[int, int]:
    """Greater is closer: literal words first, then how little the slots have swallowed."""
    return match.literal_words, -sum(len(str(slot)) for slot in match.slots.values())


def _found(target: Target, match: Match) -> Found:
    if isinstance(target, Ability):
        return Use(target, match.slots)
    return Begin(target, match.slots)
