"""Human speech: recordings of people, played by a caller into the room."""

import pytest

from room.conftest import Call
from room.ears import word_error_rate
from room.voices import RECORDINGS, recording
from room.worker import Worker

WORST = {"two_cities": 0.25, "beckett": 0.5}


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDINGS)
async def test_people_are_understood(june: Worker, call: Call, name: str) -> None:
    """By the finals that reach the room."""
    caller = await call().join()
    await caller.dispatch()
    await caller.hear()
    began, _ = await caller.say(recording(name))
    await caller.hear(30, quiet_seconds=3)
    finals = [one for one in caller.transcripts if one.final and one.speaker == caller.identity]
    heard = " ".join(one.text for one in finals if one.at > began)
    rate = word_error_rate(RECORDINGS[name], heard)
    print(f"\nword error rate of {name}: {rate:.3f}")
    assert rate <= WORST[name], heard
