"""After a deletion, and after each failure, nothing of a voice is left: files, store, provider.

What is looked for: the sound, its hash, the ids, the embedding, and the words of the consent.
"""

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from purse_fakes import RecordingPurse
from speech_fakes import ScriptedSpeech, ScriptedVAD
from test_voice_maker import CONSENT, SAMPLE, said

from agent.config import Config, load
from agent.voices.choice import name_of_cloner
from agent.voices.maker import CallCloner
from agent.voices.openai_voices import OpenAIVoices
from agent.voices.recordings import Recordings
from agent.voices.sweep import sweep
from bench.provider import Keeping, Refusal, ScriptedProvider, Speaking
from room.voices import by_flite
from session import Session, SessionService, open_sessions
from session.voice_records import Utterance
from skills import VoiceTrouble
from skills.sound import Sound

KEY = "sk-hush"
HOUR = 3_600.0


class Speech(ScriptedSpeech):
    """Hears what is asked for, and speaks as a person: what a voice says is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.hears = CONSENT

    @property
    def speaking_rate(self) -> int:
        return 48_000

    async def transcribe(self, pcm: bytes, *, final: bool) -> str:
        return self.hears

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        yield bytes(by_flite(text, "slt").data.cast("b"))


@dataclass
class Traces:
    """One caller, a store in a file, and OpenAI's voices at a scripted provider."""

    folder: Path
    config: Config
    provider: ScriptedProvider
    speech: Speech
    sessions: SessionService
    now: list[float]
    secrets: list[bytes]
    cloner: CallCloner
    maker: OpenAIVoices
    session: Session
    sounds: list[bytes] = field(default_factory=list)
    """A piece of each."""

    def seen(self, what: str | bytes) -> None:
        self.secrets.append(what.encode() if isinstance(what, str) else what)

    def heard(self, sound: Sound) -> None:
        self.sounds.append(sound.pcm[4_000:4_064])
        self.seen(self.sounds[-1])

    async def consent(self) -> None:
        sound = said(CONSENT, "slt")
        assert not await self.cloner.consent(CONSENT, CONSENT, sound)
        voice = await self.sessions.voices.of(self.session)
        assert voice is not None
        self.heard(sound)
        self.seen(hashlib.sha256(sound.pcm).hexdigest())
        self.seen(voice.consent.consent_id)
        self.seen(voice.consent.embedding)
        self.seen(base64.b64decode(voice.consent.embedding))
        self.seen(CONSENT)
        (phrase,) = self.cloner.phrases
        self.speech.hears = phrase
        await self.cloner.phrase(sound)

    async def clone(self) -> None:
        sample = said(SAMPLE, "slt")
        self.heard(sample)
        await self.cloner.make(sample)
        assert self.cloner.grant is not None
        self.seen(self.cloner.grant.clone.name)
        self.seen(self.cloner.grant.clone.data)
        spoken = Utterance(
            at=self.now[0], consent_id=self.cloner.grant.consent.consent_id, sha256="ab" * 32
        )
        await self.sessions.voices.list_utterances(self.session, "call", 0, [spoken])
        self.seen("ab" * 32)

    def found(self) -> list[bytes]:
        """Those that are still in a file of June's."""
        files = [path.read_bytes() for path in self.folder.rglob("*") if path.is_file()]
        return [secret for secret in self.secrets if any(secret in file for file in files)]

    async def is_gone(self) -> bool:
        await sweep(self.config, self.sessions)
        assert await self.sessions.voices.of(self.session) is None
        assert await self.sessions.voices.overdue() == ()
        assert self.provider.kept == []
        return self.found() == []


@pytest.fixture
async def traces(tmp_path: Path) -> AsyncIterator[Traces]:
    speech, now = Speech(), [1_800_000_000.0]
    async with ScriptedProvider(speech, key=KEY, detector=ScriptedVAD()) as provider:
        config = load(
            None,
            {
                "HOME": str(tmp_path),
                "JUNE_DATA__DIR": str(tmp_path / "data"),
                "JUNE_TTS__BASE_URL": provider.base_url,
                "JUNE_TTS__KEY_VARIABLE": "PROVIDER_KEY",
                "JUNE_MOCKINGBIRD__CLONER": "openai",
                "PROVIDER_KEY": KEY,
            },
        )
        async with open_sessions(config.session, now=lambda: now[0]) as sessions:
            session = await sessions.get_or_create_for_room("room", "ann")
            maker = OpenAIVoices(config.tts, config.key_of("tts"))
            cloner = CallCloner(
                sessions.voices,
                session,
                maker,
                purse=RecordingPurse(),
                recordings=Recordings(config.data_dir),
                made_by=name_of_cloner(config),
                call_id="call",
                valid_seconds=24 * HOUR,
            )
            yield Traces(
                tmp_path / "data",
                config,
                provider,
                speech,
                sessions,
                now,
                [],
                cloner,
                maker,
                session,
            )
            await maker.aclose()


@pytest.mark.parametrize("is_recorded", [False, True])
async def test_what_is_looked_for_is_there_as_long_as_the_voice_is(
    traces: Traces, is_recorded: bool
) -> None:
    """All but the sound, which is nowhere, unless the operator keeps that of consents."""
    if not is_recorded:
        traces.cloner._recordings = None
    await traces.consent()
    await traces.clone()
    assert len(traces.provider.kept) == 2
    found = traces.found()
    kept_as_text = [one for one in found if one.isascii() and one not in traces.sounds]
    assert len(kept_as_text) == 7
    consent, sample = traces.sounds
    assert (consent in found) == is_recorded
    assert sample not in found
    files = list((traces.folder / "consents").glob("*"))
    assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o600"] * is_recorded


@pytest.mark.parametrize("how", ["asked", "forgotten", "session", "expired"])
async def test_a_voice_that_is_deleted(traces: Traces, how: str) -> None:
    await traces.consent()
    await traces.clone()
    match how:
        case "asked":
            assert await traces.cloner.delete() is True
        case "forgotten":
            await traces.sessions.forget_user("ann")
        case "session":
            await traces.sessions.delete_session(traces.session.session_id)
        case "expired":
            traces.now[0] += 24 * HOUR
    assert await traces.is_gone()


@pytest.mark.parametrize("step", range(4))
async def test_a_clone_that_fails(traces: Traces, step: int) -> None:
    """At each of the provider's answers: consents listed, consent kept, its label, the voice."""
    await traces.consent()
    traces.provider.script.voices = [Keeping()] * step + [Keeping(fault=Refusal(500, "no"))]
    with pytest.raises(VoiceTrouble):
        await traces.clone()
    traces.provider.script.voices = ()
    await traces.cloner.discard()
    assert await traces.is_gone()


async def test_a_clone_that_says_nothing(traces: Traces) -> None:
    await traces.consent()
    traces.provider.script.tts = [Speaking(fault=Refusal(500, "no"))]
    with pytest.raises(VoiceTrouble):
        await traces.clone()
    await traces.cloner.discard()
    assert await traces.is_gone()


async def test_a_consent_that_nobody_used(traces: Traces) -> None:
    await traces.consent()
    await traces.cloner.discard()
    assert await traces.is_gone()


async def test_a_call_that_died_after_its_consent(traces: Traces) -> None:
    """Of which no voice was made: the clean-up finds it, long before it expires."""
    await traces.consent()
    traces.now[0] += HOUR / 3
    assert await traces.is_gone()


async def test_a_call_that_died_while_the_voice_was_made(traces: Traces) -> None:
    """Its maker has it, and the store does not: swept by its name."""
    await traces.consent()
    voice = await traces.sessions.voices.of(traces.session)
    assert voice is not None
    name = await traces.sessions.voices.begin_clone(voice.consent, name_of_cloner(traces.config))
    traces.seen(name)
    await traces.maker.clone(name, said(SAMPLE, "slt"), [said(CONSENT, "slt")])
    assert len(traces.provider.kept) == 2
    traces.now[0] += 24 * HOUR
    assert await traces.is_gone()
