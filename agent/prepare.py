"""June's own sentences as sound, before anybody calls: her first word waits for no provider."""

import asyncio
from contextlib import suppress
from pathlib import Path

import structlog

from agent.config import Config
from agent.lines import lines_for
from agent.models.build import build_tts, local_speech, voice_name
from agent.spoken import SpokenLines

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 30.0
"""For all of them; what is missing then is synthesised when it is said."""


async def speak_lines(config: Config, socket: Path | None) -> None:
    """Speak what is not in the cache, in the configured language and voice."""
    speech = local_speech(socket) if config.provider_of("tts") == "local" else None
    voice = build_tts(config, speech)
    lines = SpokenLines(config.data_dir / "lines", voice=voice_name(config))
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                spoken = await lines.prepare(lines_for(config.agent.language).all(), voice)
                if spoken:
                    log.info("lines.spoken", count=spoken)
    finally:
        await voice.aclose()
        if speech is not None:
            await speech.aclose()
