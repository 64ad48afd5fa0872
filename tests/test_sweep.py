"""What is left of voices is deleted by the worker, by `./june sessions`, and where it was made."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from speech_fakes import ScriptedSpeech, ScriptedVAD
from structlog.testing import capture_logs
from test_speaker import ScriptedCloner
from voices_kept import consent_of

from agent.config import Config, load
from agent.folders import CONSENTS
from agent.sessions_command import deleted, forgotten
from agent.voices.choice import name_of_cloner
from agent.voices.doomed import remove_doomed
from agent.voices.openai_voices import OpenAIVoices
from agent.voices.recordings import Recordings
from agent.voices.sweep import Sweep, sweep
from bench.provider import Keeping, Refusal, ScriptedProvider
from session import Session, SessionService, open_sessions
from skills.sound import Sound

KEY = "sk-hush"
SOUND = Sound(b"\x01\x02" * 16_000 * 8, 16_000)


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(ScriptedSpeech(), key=KEY, detector=ScriptedVAD()) as provider:
        yield provider


@pytest.fixture
def config(provider: ScriptedProvider, tmp_path: Path) -> Config:
    return load(
        None,
        {
            "HOME": str(tmp_path),
            "JUNE_DATA__DIR": str(tmp_path),
            "JUNE_TTS__BASE_URL": provider.base_url,
            "JUNE_TTS__KEY_VARIABLE": "PROVIDER_KEY",
            "JUNE_MOCKINGBIRD__CLONER": "openai",
            "PROVIDER_KEY": KEY,
        },
    )


@pytest.fixture
async def sessions(config: Config) -> AsyncIterator[SessionService]:
    async with open_sessions(config.session) as sessions:
        yield sessions


async def a_voice(sessions: SessionService, config: Config, cloner: str = "") -> Session:
    """Of Ann's, made at the provider if that is where it is from."""
    session = await sessions.get_or_create_for_room("room", "ann")
    consent = await consent_of(sessions.voices, session)
    name = await sessions.voices.begin_clone(consent, cloner or name_of_cloner(config))
    data = "likeness"
    if not cloner:
        maker = OpenAIVoices(config.tts, config.key_of("tts"))
        data = await maker.clone(name, SOUND, [SOUND])
        await maker.aclose()
    await sessions.voices.keep_clone(consent, name, data)
    return session


async def test_a_voice_that_is_in_use_is_left_alone(
    sessions: SessionService, config: Config, provider: ScriptedProvider
) -> None:
    session = await a_voice(sessions, config)
    assert await sweep(config, sessions) == 0
    assert await sessions.voices.of(session) is not None
    assert len(provider.kept) == 2


async def test_forgetting_a_user_deletes_their_voice_at_its_maker(
    sessions: SessionService, config: Config, provider: ScriptedProvider
) -> None:
    await a_voice(sessions, config)
    await forgotten(config, "ann")
    assert provider.kept == []
    assert await sessions.voices.overdue() == ()


async def test_deleting_a_session_deletes_the_voice_that_was_given_in_it(
    sessions: SessionService, config: Config, provider: ScriptedProvider
) -> None:
    session = await a_voice(sessions, config)
    await deleted(config, session.session_id)
    assert provider.kept == []


async def test_a_recording_lives_as_long_as_its_consent(
    sessions: SessionService, config: Config, tmp_path: Path
) -> None:
    """Wherever that is deleted; files that are none of June's are left alone."""
    session = await a_voice(sessions, config, "mimic")
    voice = await sessions.voices.of(session)
    assert voice is not None
    recordings, folder = Recordings(config.data_dir), tmp_path / CONSENTS
    await recordings.keep(voice.consent, SOUND)
    (folder / "other.wav").touch()
    recording = folder / f"{session.user}-{voice.consent.consent_id}.wav"
    await sweep(config, sessions)
    assert recording.stat().st_size > len(SOUND.pcm)
    await sessions.voices.delete(session.user, "asked")
    await sweep(config, sessions)
    assert [file.name for file in folder.iterdir()] == ["other.wav"]


async def test_forgetting_a_user_deletes_their_recordings(
    sessions: SessionService, config: Config, tmp_path: Path
) -> None:
    """Also where no voice was made by the consent, and no worker runs; others' are left alone."""
    anns, bobs = [
        await consent_of(sessions.voices, await sessions.get_or_create_for_room(user, user))
        for user in ("ann", "bob")
    ]
    recordings = Recordings(config.data_dir)
    for consent in (anns, bobs):
        await recordings.keep(consent, SOUND)
    await forgotten(config, "ann")
    left = [file.name for file in (tmp_path / CONSENTS).iterdir()]
    assert left == [f"{bobs.user}-{bobs.consent_id}.wav"]


KEEP_AND_DIE = """
import asyncio, os, signal, sys
from pathlib import Path
from agent.voices.recordings import Recordings
from session.voice_records import Consent
from skills.sound import Sound

Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
consent = Consent.model_validate_json(sys.argv[2])
asyncio.run(Recordings(Path(sys.argv[1])).keep(consent, Sound(bytes(32_000), 16_000)))
"""


async def test_what_a_killed_process_was_writing_goes_with_its_consent(
    sessions: SessionService, config: Config, tmp_path: Path
) -> None:
    session = await a_voice(sessions, config, "mimic")
    voice = await sessions.voices.of(session)
    assert voice is not None
    killed = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        KEEP_AND_DIE,
        str(config.data_dir),
        voice.consent.model_dump_json(),
        cwd=Path(__file__).parent.parent,
    )
    assert await killed.wait() == -signal.SIGKILL
    [part] = (tmp_path / CONSENTS).iterdir()
    assert part.suffix == ".part"
    await sessions.voices.delete(session.user, "asked")
    await sweep(config, sessions)
    assert not part.exists()


async def test_what_its_maker_refuses_to_delete_is_tried_again(
    sessions: SessionService, config: Config, provider: ScriptedProvider
) -> None:
    session = await a_voice(sessions, config)
    await sessions.voices.delete(session.user, "asked")
    provider.script.voices = [Keeping(fault=Refusal(500, "no"))] * 8
    with capture_logs() as logs:
        assert await sweep(config, sessions) == 1
    assert [line["event"] for line in logs if line["log_level"] == "warning"] != []
    assert len(provider.kept) > 0
    provider.script.voices = ()
    assert await sweep(config, sessions) == 0
    assert provider.kept == []


async def test_a_voice_of_this_machine_is_gone_with_its_record(
    sessions: SessionService, config: Config
) -> None:
    session = await a_voice(sessions, config, "mimic")
    await sessions.voices.delete(session.user, "asked")
    assert await sweep(config, sessions) == 0
    assert await sessions.voices.overdue() == ()


async def test_a_cloner_that_is_not_there_any_more_is_told_to_the_operator(
    sessions: SessionService, config: Config, tmp_path: Path
) -> None:
    (tmp_path / "other.py").write_text("raise SystemExit('imported')")
    session = await a_voice(sessions, config, str(tmp_path / "other.py"))
    await sessions.voices.delete(session.user, "asked")
    with capture_logs() as logs:
        assert await sweep(config, sessions) == 1
    [error] = [line for line in logs if line["log_level"] == "error"]
    assert "other.py` made it" in error["error"]


async def test_another_server_than_the_one_that_made_it_confirms_nothing(
    sessions: SessionService, config: Config, provider: ScriptedProvider
) -> None:
    session = await a_voice(sessions, config)
    await sessions.voices.delete(session.user, "asked")
    async with ScriptedProvider(ScriptedSpeech(), key=KEY, detector=ScriptedVAD()) as other:
        tts = config.tts.model_copy(update={"base_url": other.base_url})
        assert await sweep(config.model_copy(update={"tts": tts}), sessions) == 1
    assert len(provider.kept) == 2
    assert await sweep(config, sessions) == 0
    assert provider.kept == []


class Odd(ScriptedCloner):
    async def delete(self, name: str) -> None:
        raise ValueError("an answer that nobody expected")


async def test_one_odd_answer_does_not_keep_the_others(
    sessions: SessionService, config: Config
) -> None:
    for user in ("ann", "bob"):
        session = await sessions.get_or_create_for_room(f"room-{user}", user)
        consent = await consent_of(sessions.voices, session)
        made_by = "odd" if user == "ann" else "mimic"
        name = await sessions.voices.begin_clone(consent, made_by)
        await sessions.voices.keep_clone(consent, name, "x")
        await sessions.voices.delete(session.user, "asked")
    assert len(await remove_doomed(sessions.voices, {"odd": Odd(), "mimic": None})) == 1


async def test_a_worker_sweeps_at_its_start_and_again(
    sessions: SessionService, config: Config, provider: ScriptedProvider
) -> None:
    session = await a_voice(sessions, config)
    await sessions.voices.delete(session.user, "asked")
    swept = asyncio.Event()

    async def sleep(_: float) -> None:
        swept.set()
        await asyncio.Event().wait()

    async with Sweep(config, sessions, sleep=sleep):
        async with asyncio.timeout(5):
            await swept.wait()
    assert provider.kept == []
