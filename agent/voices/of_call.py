"""Whether a call can make a voice of the caller's, and with what."""

from collections.abc import Awaitable, Callable

import structlog
from livekit.agents import AgentSession, vad

from agent.config import Config
from agent.errors import CannotStart
from agent.lines import primary
from agent.models.build import Models
from agent.place import Place
from agent.voices.choice import cloner_for, name_of_cloner
from agent.voices.in_call import CallVoice
from agent.voices.recordings import Recordings
from agent.voices.speaker import VoiceOfCall
from session import Session, SessionService
from skills import News

log = structlog.get_logger(__name__)

SECONDS_PER_HOUR = 3_600

Copying = Callable[[Callable[[News], Awaitable[None]]], CallVoice]


def copying_of(
    config: Config,
    models: Models,
    voice: AgentSession[None],
    speaker: VoiceOfCall | None,
    *,
    detector: vad.VAD,
    place: Place,
    sessions: SessionService,
    session: Session,
) -> Copying | None:
    """None where nobody hears or speaks, where nothing can be kept, and where it is off.

    The sentence of consent is English, so the call must be.
    """
    is_spoken = models.stt is not None and models.tts is not None
    if speaker is None or not is_spoken or sessions.stands_in:
        return None
    if primary(session.language) != "en":
        return None
    try:
        cloner = cloner_for(config, speaker.june)
    except CannotStart as error:
        log.error("cloner.unusable", error=str(error))  # a call without it is better than none
        return None
    if cloner is None:
        return None

    outlives_call = not sessions.store_url.startswith("memory:")
    # Without a consent that is kept, a recording of it is nobody's.
    keeps_recordings = config.mockingbird.keep_recordings and outlives_call

    def copying(tell: Callable[[News], Awaitable[None]]) -> CallVoice:
        return CallVoice(
            voice,
            speaker,
            detector,
            cloner,
            sessions=sessions,
            session=session,
            purse=models.purse,
            recordings=Recordings(config.data_dir) if keeps_recordings else None,
            made_by=name_of_cloner(config),
            call_id=place.call_id,
            outlives_call=outlives_call,
            valid_seconds=config.mockingbird.hours * SECONDS_PER_HOUR,
            tell=tell,
        )

    return copying
