"""The words of consent, spoken by synthetic voices and heard by June's ears as in a call."""

import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
from test_consent_sentence import PHRASE
from test_spoken_activation import PIPER, Room

from agent.models.local.engine import LocalSpeech
from agent.turns import load_vad
from skills.mockingbird.repeated import Nearness, how_near
from skills.mockingbird.sentence import fresh_sentence

CHOSEN_BY = (PIPER, "slt", "rms")
"""By their voices the words were chosen."""
HELD_OUT = ("awb", "kal16")
"""What was heard of them chose nothing: how much the choice helps with a new voice."""

SENTENCES = 30


@dataclass(frozen=True)
class Repeated:
    voice: str
    asked: str
    heard: str

    @property
    def nearness(self) -> Nearness:
        return how_near(self.asked, self.heard)


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with LocalSpeech(threads=1) as speech:
        yield Room(speech, load_vad())


async def spoken(room: Room, sentences: list[str]) -> list[Repeated]:
    return [
        Repeated(voice, sentence, await room.hears(sentence, voice))
        for voice in (*CHOSEN_BY, *HELD_OUT)
        for sentence in sentences
    ]


def share_of_same(repeated: list[Repeated], voices: tuple[str, ...]) -> float:
    """Printed by voice, with everything that was not the same."""
    for one in repeated:
        if one.voice in voices and one.nearness != "same":
            print(f"{one.nearness:6} {one.voice:6} {one.asked}\n{'':14}{one.heard}")
    for voice in voices:
        found = Counter(one.nearness for one in repeated if one.voice == voice)
        print(f"{voice:6} n={found.total()} {dict(found)}")
    of_voices = [one for one in repeated if one.voice in voices]
    return sum(one.nearness == "same" for one in of_voices) / len(of_voices)


def crossed(repeated: list[Repeated]) -> Iterator[tuple[str, Repeated]]:
    """Every other sentence, and what was heard of this one."""
    asked = sorted({one.asked for one in repeated})
    return ((other, one) for other, one in itertools.product(asked, repeated) if other != one.asked)


@pytest.mark.slow
async def test_most_consents_are_heard_at_the_first_try(room: Room) -> None:
    """And none as another sentence."""
    source = random.Random(11)
    repeated = await spoken(room, [fresh_sentence(source) for _ in range(SENTENCES)])
    share, held_out = (share_of_same(repeated, voices) for voices in (CHOSEN_BY, HELD_OUT))
    print(f"same: {share:.2f} of the voices that chose, {held_out:.2f} of the held-out ones")
    pairs = list(crossed(repeated))
    wrong = [one for other, one in pairs if how_near(other, one.heard) == "same"]
    print(f"taken for another sentence: {len(wrong)} of {len(pairs)}")
    assert not wrong
    assert share >= 0.85


@pytest.mark.slow
async def test_a_provider_s_phrase_is_heard(room: Room) -> None:
    """OpenAI's, which June cannot word better."""
    repeated = await spoken(room, [PHRASE])
    share_of_same(repeated, (*CHOSEN_BY, *HELD_OUT))
    assert sum(one.nearness == "same" for one in repeated if one.voice in CHOSEN_BY) >= 2
    assert all(one.nearness != "other" for one in repeated)
