"""The AgentSession of a call: LiveKit's mechanics of hearing, thinking and speaking."""

import sys

from livekit.agents import AgentSession, APIConnectOptions, tts, vad
from livekit.agents.types import NOT_GIVEN
from livekit.agents.voice.agent_session import SessionConnectOptions

from agent.models.build import Models
from agent.turns import TEXT_TRANSFORMS, turn_handling

ONCE = APIConnectOptions(max_retry=0)
"""The guard of each stage decides who is asked again."""


def build_voice(
    models: Models, detector: vad.VAD, speaker: tts.TTS[str] | None, *, idle_seconds: int
) -> AgentSession[None]:
    """Of a call that is spoken, or, where the models have no ears, only typed."""
    is_spoken = models.stt is not None
    return AgentSession(
        stt=models.stt or NOT_GIVEN,
        llm=models.llm,
        tts=speaker or NOT_GIVEN,
        vad=detector if is_spoken else None,
        turn_handling=turn_handling() if is_spoken else {"turn_detection": None},
        tts_text_transforms=TEXT_TRANSFORMS,
        conn_options=SessionConnectOptions(
            stt_conn_options=ONCE,
            llm_conn_options=ONCE,
            tts_conn_options=ONCE,
            # LiveKit would close the voice in silence; `Trouble` ends the call in words, if at all.
            max_unrecoverable_errors=sys.maxsize,
        ),
        user_away_timeout=idle_seconds if is_spoken and idle_seconds else None,
        # Clients cancel echo themselves; the framework's warm-up would swallow the first
        # words of a caller who speaks over the greeting.
        aec_warmup_duration=None,
    )
