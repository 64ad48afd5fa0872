"""Human speech: recordings of people, played by a caller into the room."""

import pytest
from livekit import rtc

from agent.models.local.engine import LocalSpeech
from room.caller import Caller
from room.conftest import Call
from room.ears import understand, word_error_rate
from room.voices import RECORDINGS, heard_at_once, recording
from room.worker import Worker

WORST = {"two_cities": 0.25, "beckett": 0.5}


async def finals_of(caller: Caller, sound: rtc.AudioFrame) -> str:
    """What June's finals make of a recording."""
    await caller.dispatch()
    await caller.hear()
    began, _ = await caller.say(sound)
    await caller.hear(30, quiet_seconds=3)
    finals = [one for one in caller.transcripts if one.final and one.speaker == caller.identity]
    return " ".join(one.text for one in finals if one.at > began)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDINGS)
async def test_people_are_understood(june: Worker, call: Call, name: str) -> None:
    """By the finals that reach the room."""
    heard = await finals_of(await call().join(), recording(name))
    rate = word_error_rate(RECORDINGS[name], heard)
    print(f"\nword error rate of {name}: {rate:.3f}")
    assert rate <= WORST[name], heard


@pytest.mark.slow
async def test_a_dialogue_loses_little_on_its_way(
    june: Worker, call: Call, ears: LocalSpeech
) -> None:
    """`endgame_nagg_nell` has no published text: compared with the same model on the whole of it.

    So this rate says what room, VAD and cutting lose, not what the model mishears.
    """
    sound = recording("endgame_nagg_nell")
    reference = await understand(ears, heard_at_once(sound))
    heard = await finals_of(await call().join(), sound)
    rate = word_error_rate(reference, heard)
    print(f"\nword difference of endgame_nagg_nell: {rate:.3f}")
    assert rate <= 0.5, heard
