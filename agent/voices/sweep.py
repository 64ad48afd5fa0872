"""Deletes what is left of callers' voices: at the start of a worker, and every ten minutes."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Self

import structlog

from agent.config import Config
from agent.errors import CannotStart
from agent.voices.choice import OPENAI, made_by, name_of_cloner
from agent.voices.cloner import Cloner
from agent.voices.doomed import remove_doomed
from agent.voices.recordings import Recordings
from session import SessionService, StoreError, Voices

log = structlog.get_logger(__name__)

EVERY_SECONDS = 600.0

AT_THIS_MACHINE = "mimic"
"""A cloner that keeps nothing itself: what is deleted in the store is all there was."""


async def sweep(config: Config, sessions: SessionService) -> int:
    """How many voices are still to be deleted by their makers. May raise `StoreError`."""
    voices = sessions.voices
    left = await _sweep_clones(config, voices)
    # Also with the setting off: it may have been on.
    await Recordings(config.data_dir).sweep(voices)
    return left


async def _sweep_clones(config: Config, voices: Voices) -> int:
    async with AsyncExitStack() as stack:
        cloners: dict[str, Cloner | None] = {AT_THIS_MACHINE: None}
        for name in {one.cloner for one in await voices.overdue()} - {AT_THIS_MACHINE}:
            try:
                cloner = _cloner_named(config, name)
            except CannotStart as error:
                log.error("voice.not_deleted", cloner=name, error=str(error))
                continue
            stack.push_async_callback(cloner.aclose)
            cloners[name] = cloner
        return len(await remove_doomed(voices, cloners))


def _cloner_named(config: Config, name: str) -> Cloner:
    """One that made a voice once. What the store names is never imported for that alone."""
    if not name.startswith(OPENAI):
        if config.cloner_file is None or name != str(config.cloner_file):
            raise CannotStart(
                f"`{name}` made it, and `[mockingbird] cloner` does not name that now"
            )
        return made_by(config.cloner_file)
    if name != name_of_cloner(config, "openai"):
        raise CannotStart(f"`{name}` made it, and `[tts] base_url` does not name that server now")
    from agent.voices.openai_voices import OpenAIVoices  # noqa: PLC0415 (only if it is needed)

    return OpenAIVoices(config.tts, config.key_of("tts"))


class Sweep:
    """Lives as long as its worker."""

    def __init__(
        self,
        config: Config,
        sessions: SessionService,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._config = config
        self._sessions = sessions
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._sweep_for_ever(), name="june.voices.sweep")
        return self

    async def _sweep_for_ever(self) -> None:
        while True:
            try:
                await sweep(self._config, self._sessions)
            except StoreError as error:
                log.warning("voices.not_swept", error=str(error))
            except Exception:
                log.exception("voices.not_swept")  # and is tried again
            await self._sleep(EVERY_SECONDS)

    async def __aexit__(self, *exc_info: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
