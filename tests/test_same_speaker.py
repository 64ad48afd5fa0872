"""The voice of the sample is the consent's, or it is not cloned."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from voices_made import CONSENT, MADE, PEOPLE, STORIES, cut, read_by, said

from agent.voices.embedding import Embedding, embed
from agent.voices.same_speaker import LEAST_ALIKE, is_same_speaker


def at(cosine: float) -> Embedding:
    """A point whose cosine with `at(1)` is this."""
    return np.array([cosine, np.sqrt(1 - cosine**2)], np.float32)


@pytest.mark.parametrize(
    ("cosine", "is_same"), [(1.0, True), (LEAST_ALIKE + 0.001, True), (LEAST_ALIKE - 0.001, False)]
)
def test_near_enough_is_the_same(cosine: float, is_same: bool) -> None:
    assert is_same_speaker(at(1), at(cosine)) is is_same


def test_nobody_is_not_the_same_as_nobody() -> None:
    """Zeros, or what a fault made of the numbers, match nothing, themselves neither."""
    for broken in (np.zeros(256, np.float32), np.full(256, np.nan, np.float32)):
        assert not is_same_speaker(broken, broken)


async def test_a_voice_is_itself_and_no_other() -> None:
    """Consent of each with the sample of each: `slt`, `rms` and June's own voice."""
    voices = ("slt", "rms", "piper")
    consents = [embed(await said(voice, CONSENT)) for voice in voices]
    samples = [embed(await said(voice, STORIES[0])) for voice in voices]
    same = [[is_same_speaker(consent, sample) for sample in samples] for consent in consents]
    assert same == np.eye(len(voices), dtype=bool).tolist()


async def test_how_often_speakers_are_mistaken() -> None:
    """What a fresh machine can say: five made voices and two people, each with each."""
    consents = {voice: [embed(await said(voice, CONSENT))] for voice in MADE}
    samples = {voice: [embed(await said(voice, story)) for story in STORIES] for voice in MADE}
    for person in PEOPLE:
        read = read_by(person)
        consents[person] = [embed(cut(read, 0, 4.5))]
        starts = range(4, int(read.seconds) - 3, 8)
        samples[person] = [embed(cut(read, start + 0.5, start + 8.5)) for start in starts]
    refused = rates("same voice", consents, samples, of_same=True)
    accepted = rates("another's", consents, samples, of_same=False)
    assert refused <= 0.05
    assert accepted <= 0.05


def rates(
    what: str,
    consents: dict[str, list[Embedding]],
    samples: dict[str, list[Embedding]],
    *,
    of_same: bool,
) -> float:
    """Prints and returns how many of the decisions are wrong."""
    tried: Sequence[tuple[str, str, float]] = [
        (one, other, float(consent @ sample))
        for one, other in product(consents, samples)
        if (one == other) is of_same
        for consent, sample in product(consents[one], samples[other])
    ]
    wrong = [case for case in tried if (case[2] >= LEAST_ALIKE) is not of_same]
    print(f"{what}: n = {len(tried)}, mistaken {len(wrong)}: {wrong}")
    return len(wrong) / len(tried)
