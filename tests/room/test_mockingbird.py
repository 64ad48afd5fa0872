"""Mockingbird in a real call, offline and hosted: consent, a copy, talk, and back again.

Callers are voices made on the fly, so that they can say the fresh words.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from livekit import rtc
from numpy.typing import NDArray

from agent.models.local.engine import HEARING_RATE
from agent.voices.embedding import Embedding, embed
from agent.voices.mimic.pitch import pitch_of
from room.caller import Caller, Heard
from room.conftest import Call
from room.ears import word_error_rate
from room.voices import piper, synthetic
from room.worker import Worker
from session import SessionConfig, open_sessions
from skills.sound import Sound

pytestmark = pytest.mark.parametrize("june", ["local", "openai"], indirect=True)

SAMPLE = (
    "Last summer we drove along the coast for a week. Every morning there was fog over the water, "
    "and by noon the sun had taken it away. I would do it again at once."
)

Speaks = Callable[[str], Awaitable[rtc.AudioFrame]]


def flite(voice: str) -> Speaks:
    async def speaks(text: str) -> rtc.AudioFrame:
        return await synthetic(text, voice)

    return speaks


VOICES: dict[str, Speaks] = {"slt": flite("slt"), "rms": flite("rms"), "piper": piper}


def sound_of(frame: rtc.AudioFrame) -> Sound:
    return Sound(bytes(frame.data.cast("b")), frame.sample_rate)


def heard_by(caller: Caller, heard: Heard) -> Sound:
    return Sound(caller.sound(heard.started, heard.ended).tobytes(), HEARING_RATE)


def pitch(sound: Sound) -> float:
    """Median of what is voiced, in Hz. WORLD's own trackers take Piper's rough voice for another
    octave, and agree about the others.
    """
    samples: NDArray[np.float64] = np.frombuffer(sound.pcm, np.int16) / 32768.0
    found = pitch_of(samples, sound.sample_rate)
    return float(np.median(found[found > 0]))


def near(one: Embedding, other: Embedding) -> float:
    return float(one @ other)


class Copied:
    """A caller who lets June copy their voice."""

    def __init__(self, caller: Caller, speaks: Speaks) -> None:
        self.caller = caller
        self.speaks = speaks

    async def says(self, text: str) -> Heard:
        """Say it when June is quiet, and hear the answer."""
        return await self.caller.ask(await self.speaks(text))

    async def reads(self, pattern: str, seconds: float = 20.0) -> re.Match[str]:
        """What June's own words say, as the room shows them: a caller reads the fresh words."""
        june = self.caller.june()
        assert june is not None
        done = len(self.caller.finals(june.identity))

        def found() -> re.Match[str] | None:
            lines = self.caller.finals(june.identity)
            return re.search(pattern, lines[-1], re.DOTALL) if lines else None

        match: re.Match[str] = await self.caller.until(found, seconds, f"{pattern} ({done} so far)")
        return match

    async def consents(self) -> None:
        """As often as June asks, if she does not understand it at once."""
        await self.caller.ask_for("clone your voice", "Copy my voice.")
        await self.caller.say(await self.speaks("Yes."))
        for _ in range(3):
            asked = await self.reads(r"(?:repeat after me|exactly this): (.+)$")
            await self.caller.hear(30)
            sentence = asked.group(1).strip()
            await self.caller.say(await self.speaks(sentence))
            said = await self.reads(
                rf"Ready to clone|(?:repeat after me|exactly this): (?!{re.escape(sentence)})", 30
            )
            print(f"asked {sentence!r}: {self.caller.finals()[-1:]}")
            if said.group().startswith("Ready"):
                return
        raise AssertionError("the consent was never understood")

    async def gives_a_sample(self) -> None:
        await self.caller.hear(30)
        await self.caller.say(await self.speaks(SAMPLE))
        await self.reads("Got it!", 40)


async def begun(call: Call, speaks: Speaks, identity: str = "", *, agent: str = "june") -> Copied:
    caller = await call(identity).join()
    await caller.dispatch(agent=agent)
    await caller.hear()
    return Copied(caller, speaks)


@pytest.mark.parametrize(
    "voice",
    [
        pytest.param("slt", marks=pytest.mark.slow),
        pytest.param("rms", marks=pytest.mark.slow),
        pytest.param("piper", marks=pytest.mark.slow),
    ],
)
async def test_a_voice_is_copied_and_given_back(june: Worker, call: Call, voice: str) -> None:
    """It lasts through a barge-in and a tool, and ends when it is told to."""
    ann = await begun(call, VOICES[voice])
    caller = ann.caller
    own = heard_by(caller, caller.heard[0])
    theirs = sound_of(await ann.speaks(SAMPLE))
    await ann.consents()
    await ann.gives_a_sample()
    got_it = await caller.hear(30)

    answer = await ann.says("Who are you?")
    their_speaker, own_speaker = embed(theirs), embed(own)
    cloned = heard_by(caller, answer)
    alike = near(embed(cloned), their_speaker)
    print(
        f"{voice}: pitch of the caller {pitch(theirs):.0f} Hz, June {pitch(own):.0f}, the copy "
        f"{pitch(heard_by(caller, got_it)):.0f} and {pitch(cloned):.0f}; likeness to the caller: "
        f"June {near(own_speaker, their_speaker):.2f}, copy {alike:.2f}"
    )
    assert pitch(cloned) == pytest.approx(pitch(theirs), rel=0.1)
    # Piper is June's own voice, and nothing is nearer to itself.
    assert voice == "piper" or alike > near(own_speaker, their_speaker)

    june_is = caller.june()
    assert june_is is not None
    errors = word_error_rate(caller.finals(june_is.identity)[-1], answer.text)
    print(f"{voice}: word error rate of the copy, as the caller hears it, {errors:.2f}")
    assert errors < 0.5

    # Barge-in: she stops, and goes on in the same voice.
    _, ended = await caller.say(await ann.speaks("What can you do?"))
    await caller.until(lambda: caller.speech()[-1][1] > ended + 2, 25, "June tells")
    await caller.say(await ann.speaks("Wait a moment, please."))
    await caller.hear(30)
    told = await ann.says("What time is it?")
    assert "it's" in told.text.lower(), told.text
    stayed = near(embed(heard_by(caller, told)), their_speaker)
    assert voice == "piper" or stayed > near(own_speaker, their_speaker)

    back = await ann.says("Go back to normal.")
    if "default" not in back.text.lower():
        print(f"asked again: June heard {caller.finals()[-1:]}")
        back = await ann.says("Use your normal voice.")
    assert "default" in back.text.lower(), (back.text, caller.finals())
    again = await ann.says("Who are you?")
    hers = embed(heard_by(caller, again))
    assert voice == "piper" or near(hers, own_speaker) > near(hers, their_speaker)
    voices = [one["type"] for one in caller.events if one["type"].startswith("voice.")]
    assert voices == ["voice.cloned", "voice.own"]
    await listed(june, caller)


async def listed(june: Worker, caller: Caller) -> None:
    """Each utterance in the caller's voice stands in the manifest, under the one consent."""
    await asyncio.sleep(1)
    async with open_sessions(SessionConfig(june.folder / "data")) as sessions:
        session = await sessions.get_session_by_room(caller.room_name)
        assert session is not None
        voice = await sessions.voices.of(session)
        said = await sessions.voices.manifest(session)
    assert voice is not None
    assert len(said) >= 3
    assert {one.consent_id for one in said} == {voice.consent.consent_id}


@pytest.mark.slow
async def test_another_speaker_may_not_give_the_sample(june: Worker, call: Call) -> None:
    """The phone was handed over."""
    ann = await begun(call, VOICES["slt"])
    await ann.consents()
    await ann.caller.hear(30)
    await ann.caller.say(await synthetic(SAMPLE, "rms"))
    await ann.reads("doesn't sound like the voice that gave consent", 40)
    await asyncio.sleep(1)
    async with open_sessions(SessionConfig(june.folder / "data")) as sessions:
        session = await sessions.get_session_by_room(ann.caller.room_name)
        assert session is not None
        assert await sessions.voices.of(session) is None
