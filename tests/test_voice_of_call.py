"""Whether a call may copy voices, and whether it keeps the sound of consents."""

from pathlib import Path

import pytest
from livekit.agents import AgentSession
from speech_fakes import ScriptedSpeech, ScriptedVAD

from agent.config import load
from agent.models.build import build_models
from agent.place import Place
from agent.voices.of_call import copying_of
from agent.voices.speaker import speaker_of
from session import open_sessions
from skills import News


@pytest.mark.parametrize(
    ("setting", "store", "keeps"),
    [("false", "", False), ("true", "", True), ("true", "memory:", False)],
)
async def test_only_a_consent_that_is_kept_is_recorded(
    tmp_path: Path, setting: str, store: str, keeps: bool
) -> None:
    """A console's is not, and what it deletes at its end must be none of the worker's."""
    config = load(
        environ={
            "HOME": str(tmp_path),
            "JUNE_MOCKINGBIRD__KEEP_RECORDINGS": setting,
            "JUNE_STORE__URL": store,
        }
    )
    detector = ScriptedVAD()
    models = build_models(config, language="en", speech=ScriptedSpeech(), detector=detector)
    async with open_sessions(config.session) as sessions:
        copying = copying_of(
            config,
            models,
            AgentSession[None](),
            speaker_of(models.tts, lambda: False),
            detector=detector,
            place=Place(room="room", channel="room", call_id="call", shut_down=lambda _: None),
            sessions=sessions,
            session=await sessions.get_or_create_for_room("room", "ann"),
        )
        assert copying is not None

        async def tell(_: News) -> None:
            """Nothing is told here."""

        assert (copying(tell)._cloner._recordings is not None) == keeps
    await models.aclose()
