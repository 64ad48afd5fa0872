"""June's own sentences as sound, before anybody calls: her first word waits for no provider."""

import asyncio
from contextlib import suppress
from pathlib import Path

import structlog

from agent.alerts import Alerts
from agent.config import Config
from agent.counting import count_spending
from agent.lines import lines_for
from agent.models.build import build_tts, local_speech, voice_name
from agent.models.metered_tts import MeteredTTS
from agent.spoken import SpokenLines
from session import SessionService
from session.patience import Patience
from session.prices import load_public_prices
from session.purse import CallPurse

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 30.0
"""For all of them; what is missing then is synthesised when it is said."""


async def speak_lines(config: Config, socket: Path | None, sessions: SessionService) -> None:
    """Speak what is not in the cache, in the configured language and voice; June pays for it."""
    speech = local_speech(socket) if config.provider_of("tts") == "local" else None
    if config.provider_of("tts") != "local":
        await asyncio.to_thread(load_public_prices)
    purse, alerts = CallPurse(config.session.money), Alerts(config)
    voice = MeteredTTS(build_tts(config.providers_of("tts")[0], speech), purse)
    await purse.open(
        sessions.money,
        None,
        patience=Patience(),
        on_refused=lambda _: None,
        on_alert=alerts.tell,
        on_charged=count_spending,
        with_allowance=False,
        is_away=sessions.stands_in,
    )
    lines = SpokenLines(config.data_dir / "lines", voice=voice_name(config))
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                spoken = await lines.prepare(lines_for(config.agent.language).all(), voice)
                if spoken:
                    log.info("lines.spoken", count=spoken)
    finally:
        await voice.aclose()
        await purse.aclose()
        await alerts.aclose()
        if speech is not None:
            await speech.aclose()
