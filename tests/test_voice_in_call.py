"""Recorder, cloner and speaker together, as a call has them; no room, and a scripted cloner."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from livekit.agents import AgentSession, APIConnectOptions
from purse_fakes import RecordingPurse
from speech_fakes import ScriptedSpeech, ScriptedVAD
from test_voice_maker import CONSENT, SAMPLE, Maker, said

from agent.models.local.tts import LocalTTS
from agent.voices.in_call import CallVoice
from agent.voices.speaker import VoiceOfCall
from session import Session, SessionConfig, SessionService, StoreError, open_sessions
from skills import News, VoiceTrouble
from skills.voice import VoiceDeleted, VoiceFailed, Why

ONCE = APIConnectOptions(max_retry=0, timeout=1.0)


@dataclass
class InCall:
    sessions: SessionService
    session: Session
    maker: Maker
    june: ScriptedSpeech
    speaker: VoiceOfCall
    voice: CallVoice
    told: list[News] = field(default_factory=list)

    async def clone(self) -> None:
        await self.voice._cloner.consent(CONSENT, CONSENT, said(CONSENT, "slt"))
        await self.voice._cloner.make(said(SAMPLE, "slt"))
        self.voice.put_on()

    async def says(self, text: str) -> bool:
        """Whether it was said with the caller's voice."""
        before = len(self.june.spoken)
        async with self.speaker.synthesize(text, conn_options=ONCE) as stream:
            assert [sound async for sound in stream]
        return len(self.june.spoken) == before


@pytest.fixture
async def call(tmp_path: Path) -> AsyncIterator[InCall]:
    june, maker, told = ScriptedSpeech(), Maker(), list[News]()

    async def tell(news: News) -> None:
        told.append(news)

    config = SessionConfig(data_dir=tmp_path, secret_key=b"k" * 32)
    async with open_sessions(config) as sessions:
        session = await sessions.get_or_create_for_room("room", "ann")
        speaker = VoiceOfCall(LocalTTS(june))
        voice = CallVoice(
            AgentSession[None](),
            speaker,
            ScriptedVAD(),
            maker,
            sessions=sessions,
            session=session,
            purse=RecordingPurse(),
            recordings=None,
            made_by="mimic",
            call_id="call",
            valid_seconds=3_600,
            outlives_call=True,
            tell=tell,
        )
        async with voice:
            yield InCall(sessions, session, maker, june, speaker, voice, told)


async def test_without_a_consent_nothing_can_be_put_on(call: InCall) -> None:
    with pytest.raises(VoiceTrouble):
        call.voice.put_on()
    assert not await call.says("Hello.")


async def test_what_is_said_is_listed(call: InCall) -> None:
    await call.clone()
    assert await call.says("One.")
    assert await call.says("Two.")
    call.voice.take_off()
    assert not await call.says("Three.")
    await call.voice._manifest.aclose()
    listed = await call.sessions.voices.manifest(call.session)
    assert len(listed) == 2


async def test_a_voice_that_another_process_deletes_is_lost_at_the_next_sentence(
    call: InCall,
) -> None:
    await call.clone()
    assert await call.says("One.")
    await call.sessions.forget_user("ann")
    assert not await call.says("Two.")
    await call.voice._studio.aclose()
    assert VoiceFailed(Why.NO_CONSENT) in call.told


async def test_deleting_it_in_the_call(call: InCall) -> None:
    await call.clone()
    assert await call.voice.delete() == "deleted"
    assert call.told == [VoiceDeleted()]
    assert not await call.says("One.")
    assert call.maker.held == {}
    assert await call.voice.delete() == "nothing"


async def test_deleting_what_is_not_finished(call: InCall) -> None:
    """It was something of the caller's voice all the same."""
    await call.voice._cloner.consent(CONSENT, CONSENT, said(CONSENT, "slt"))
    assert await call.voice.delete() == "deleted"
    assert await call.sessions.voices.of(call.session) is None


async def test_deleting_while_the_store_is_away_takes_the_voice_off_at_once(
    call: InCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    await call.clone()

    async def away(*_: object, **__: object) -> None:
        raise StoreError("away", retryable=True)

    monkeypatch.setattr(call.voice._cloner._voices, "delete", away)
    with pytest.raises(StoreError):
        await call.voice.delete()
    assert not call.speaker.is_cloned
    assert not await call.says("One.")


async def test_a_maker_that_has_not_confirmed_it(call: InCall) -> None:
    await call.clone()
    call.maker.will_not_delete = True
    assert await call.voice.delete() == "going"
    call.maker.will_not_delete = False
