"""How a call ends: once, for the first reason, and whatever goes wrong with the last words."""

import asyncio
from collections.abc import AsyncIterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import CloseEvent
from livekit.agents import CloseReason as VoiceCloseReason

import agent.ending
from agent.ending import Ending
from agent.spoken import SpokenLines
from session import CloseReason


class Speech:
    """Something being said, until it is let go."""

    def __init__(self) -> None:
        self.over = asyncio.Event()

    async def wait_for_playout(self) -> None:
        await self.over.wait()

    def interrupt(self, *, force: bool) -> None:
        assert force
        self.over.set()


class Voice:
    """An AgentSession by what an ending asks of it."""

    def __init__(self, *, fails: Exception | None = None) -> None:
        self.current_speech: Speech | None = None
        self.fails = fails
        self.said: list[tuple[str, bool]] = []

    def say(
        self,
        text: str,
        *,
        audio: AsyncIterable[rtc.AudioFrame] | None = None,
        allow_interruptions: bool = True,
    ) -> Speech:
        if self.fails is not None:
            raise self.fails
        self.said.append((text, allow_interruptions))
        speech = Speech()
        speech.over.set()
        return speech


@pytest.fixture
def shut_down() -> list[str]:
    return []


def ending(voice: Voice, folder: Path, shut_down: list[str]) -> Ending:
    lines = SpokenLines(folder, voice="none")
    as_livekit_speaks: Any = voice
    return Ending(as_livekit_speaks, lines, shut_down.append)


async def until(shut_down: list[str]) -> None:
    while not shut_down:
        await asyncio.sleep(0.001)


async def test_the_first_reason_stands(tmp_path: Path, shut_down: list[str]) -> None:
    """LiveKit tells of one end in several ways."""
    end = ending(Voice(), tmp_path, shut_down)
    end.begin(CloseReason.DRAIN, "Goodbye.")
    end.begin(CloseReason.NETWORK_LOST)
    end.on_voice_closed(CloseEvent(reason=VoiceCloseReason.ERROR))
    await until(shut_down)
    await asyncio.sleep(0)
    assert end.reason is CloseReason.DRAIN
    assert shut_down == ["drain"]


async def test_a_call_was_over_when_the_caller_hung_up(
    tmp_path: Path, shut_down: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiveKit closes the voice two seconds later; who joins in between has come anew."""
    clock = [100.0]
    monkeypatch.setattr("agent.ending.time", SimpleNamespace(monotonic=lambda: clock[0]))
    end = ending(Voice(), tmp_path, shut_down)
    assert end.seconds_ago == 0.0
    end.hung_up()
    clock[0] += 2.0
    end.begin(CloseReason.CALLER_LEFT)
    assert end.seconds_ago == 2.0
    await until(shut_down)


async def test_the_goodbye_follows_the_sentence_that_june_is_in(
    tmp_path: Path, shut_down: list[str]
) -> None:
    """And cannot be interrupted."""
    voice = Voice()
    voice.current_speech = Speech()
    end = ending(voice, tmp_path, shut_down)
    end.begin(CloseReason.DRAIN, "Goodbye.")
    for _ in range(5):
        await asyncio.sleep(0)
    assert voice.said == []
    voice.current_speech.over.set()
    await until(shut_down)
    assert voice.said == [("Goodbye.", False)]


async def test_an_answer_that_goes_on_and_on_makes_way_for_the_goodbye(
    tmp_path: Path, shut_down: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cut; the goodbye is not."""
    monkeypatch.setattr(agent.ending, "SENTENCE_SECONDS", 0.01)
    voice = Voice()
    voice.current_speech = Speech()
    ending(voice, tmp_path, shut_down).begin(CloseReason.TOO_LONG, "Goodbye.")
    await until(shut_down)
    assert voice.current_speech.over.is_set()
    assert voice.said == [("Goodbye.", False)]


async def test_a_goodbye_in_the_models_words_is_waited_for(
    tmp_path: Path, shut_down: list[str]
) -> None:
    """June does not leave before its last word."""
    speech: Any = Speech()
    end = ending(Voice(), tmp_path, shut_down)
    end.begin(CloseReason.GOODBYE, after=speech)
    for _ in range(5):
        await asyncio.sleep(0)
    assert shut_down == []
    speech.over.set()
    await until(shut_down)
    assert shut_down == ["goodbye"]


@pytest.mark.parametrize("fault", [RuntimeError("closing"), TimeoutError()])
async def test_a_goodbye_that_fails_does_not_keep_the_call(
    tmp_path: Path, shut_down: list[str], fault: Exception
) -> None:
    """The job ends all the same."""
    ending(Voice(fails=fault), tmp_path, shut_down).begin(CloseReason.DRAIN, "Goodbye.")
    await until(shut_down)
    assert shut_down == ["drain"]


@pytest.mark.parametrize(
    ("reason", "recorded"),
    [
        (VoiceCloseReason.PARTICIPANT_DISCONNECTED, CloseReason.CALLER_LEFT),
        (VoiceCloseReason.ERROR, CloseReason.ERROR),
        (VoiceCloseReason.JOB_SHUTDOWN, CloseReason.REMOVED),
    ],
)
async def test_why_livekit_closed_the_voice_is_recorded(
    tmp_path: Path, shut_down: list[str], reason: VoiceCloseReason, recorded: CloseReason
) -> None:
    """In June's words."""
    end = ending(Voice(), tmp_path, shut_down)
    end.on_voice_closed(CloseEvent(reason=reason))
    await until(shut_down)
    assert shut_down == [recorded.value]


@pytest.mark.parametrize(
    ("seconds", "reason"), [(2.0, CloseReason.NETWORK_LOST), (60.0, CloseReason.REMOVED)]
)
async def test_a_server_that_stops_has_not_removed_her(
    tmp_path: Path,
    shut_down: list[str],
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    reason: CloseReason,
) -> None:
    """It ends her job, and drops her line; whoever joins again is owed another June."""
    clock = [100.0]
    monkeypatch.setattr("agent.ending.time", SimpleNamespace(monotonic=lambda: clock[0]))
    end = ending(Voice(), tmp_path, shut_down)
    end.on_reconnecting()
    clock[0] += seconds
    end.on_voice_closed(CloseEvent(reason=VoiceCloseReason.USER_INITIATED))
    assert end.reason is reason
    await until(shut_down)


@pytest.mark.parametrize(
    ("reason", "recorded"),
    [
        (rtc.DisconnectReason.ROOM_DELETED, CloseReason.ROOM_DELETED),
        (rtc.DisconnectReason.PARTICIPANT_REMOVED, CloseReason.REMOVED),
        (rtc.DisconnectReason.SERVER_SHUTDOWN, CloseReason.NETWORK_LOST),
    ],
)
async def test_why_june_is_out_of_the_room_is_recorded(
    tmp_path: Path,
    shut_down: list[str],
    reason: rtc.DisconnectReason.ValueType,
    recorded: CloseReason,
) -> None:
    """What nobody decided was the network, and can be resumed."""
    end = ending(Voice(), tmp_path, shut_down)
    end.on_disconnected(reason)
    await until(shut_down)
    assert shut_down == [recorded.value]
