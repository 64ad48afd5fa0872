"""The model process and a call's connection to it, over a real socket, with scripted models."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from speech_fakes import ScriptedSpeech

from agent.models.local.process import serve
from agent.models.local.remote import RemoteSpeech


@asynccontextmanager
async def serving(socket: Path, speech: ScriptedSpeech) -> AsyncIterator[None]:
    ended = asyncio.Event()
    task = asyncio.create_task(serve(socket, speech, until=ended))
    try:
        yield
    finally:
        ended.set()
        await task


@pytest.fixture
async def remote(tmp_path: Path) -> AsyncIterator[RemoteSpeech]:
    speech = RemoteSpeech(tmp_path / "models.sock")
    yield speech
    await speech.aclose()


async def test_words_cross_the_socket(tmp_path: Path, remote: RemoteSpeech) -> None:
    """With their urgency."""
    models = ScriptedSpeech()
    async with serving(tmp_path / "models.sock", models):
        assert await remote.transcribe(b"\0\0" * 16_000, final=True) == "final 1.0"
        assert await remote.transcribe(b"\0\0" * 8_000, final=False) == "interim 0.5"
    assert models.asked == [(1.0, True), (0.5, False)]


async def test_speech_arrives_whole_and_in_pieces(tmp_path: Path, remote: RemoteSpeech) -> None:
    """A reply is played before it has been spoken to its end."""
    async with serving(tmp_path / "models.sock", ScriptedSpeech()):
        pieces = [piece async for piece in remote.speak("One sentence. Another.")]
    assert len(pieces) > 1
    assert sum(map(len, pieces)) == 2 * 2205 * len("One sentence" + "Another.")


async def test_only_its_owner_may_open_the_socket(tmp_path: Path) -> None:
    """Other users of the machine must not hear calls."""
    socket = tmp_path / "models.sock"
    remote = RemoteSpeech(socket)
    async with serving(socket, ScriptedSpeech()):
        await remote.transcribe(b"", final=True)
        assert socket.stat().st_mode & 0o077 == 0
    await remote.aclose()


async def test_a_request_waits_for_a_process_that_is_being_restarted(
    tmp_path: Path, remote: RemoteSpeech
) -> None:
    """The models died under a call: its words come a little later, and they come."""
    socket = tmp_path / "models.sock"
    asked = asyncio.create_task(remote.transcribe(b"\0\0" * 16_000, final=True))
    await asyncio.sleep(0)
    async with serving(socket, ScriptedSpeech()):
        assert await asked == "final 1.0"


async def test_a_fault_of_the_models_is_an_error_here(tmp_path: Path, remote: RemoteSpeech) -> None:
    """And the process goes on."""
    models = ScriptedSpeech()
    models.fail_with = ValueError("broken")
    async with serving(tmp_path / "models.sock", models):
        with pytest.raises(aiohttp.ClientResponseError):
            await remote.transcribe(b"\0\0", final=True)
        models.fail_with = None
        assert await remote.transcribe(b"\0\0" * 16_000, final=True) == "final 1.0"


async def test_who_goes_away_is_not_computed_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dropped interim frees the models for somebody who waits."""
    models = ScriptedSpeech()
    models.hold = asyncio.Event()
    dropped = asyncio.Event()

    async def transcribe(pcm: bytes, *, final: bool) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            dropped.set()
            raise
        return ""

    monkeypatch.setattr(models, "transcribe", transcribe)
    remote = RemoteSpeech(tmp_path / "models.sock")
    async with serving(tmp_path / "models.sock", models):
        asked = asyncio.create_task(remote.transcribe(b"\0\0", final=False))
        while not asked.done() and not models.hold.is_set():
            await asyncio.sleep(0.01)
            models.hold.set()
        asked.cancel()
        await asyncio.wait_for(dropped.wait(), 5)
    await remote.aclose()
