"""Recordings of consents, for operators who must be able to play them: a file each.

They lie on the machine where the call took place, as long as their consent is kept.
"""

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path

import structlog

from agent.folders import CONSENTS
from agent.voices.samples import frame_of
from session import Voices
from session.voice_records import Consent
from skills.sound import Sound

log = structlog.get_logger(__name__)

_NAME = re.compile(r"([0-9a-f]{64})-([0-9a-f]{32})\.(wav|part)")


class Recordings:
    """In June's folder, readable by her alone. Outlives calls and workers.

    A name holds the user, as the store knows them, and the id of the consent. One that ends with
    `.part` is being written, or its process has died over it; it lives as long as any.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / CONSENTS

    async def keep(self, consent: Consent, said: Sound) -> None:
        """Whole or not at all. Raises `OSError`."""
        await asyncio.to_thread(self._write, f"{consent.user}-{consent.consent_id}", said)

    def _write(self, name: str, said: Sound) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._folder / f"{name}.part"
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(frame_of(said).to_wav_bytes())
            part.replace(self._folder / f"{name}.wav")
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    async def delete(self, user: str, is_due: Callable[[str], bool] = lambda _: True) -> bool:
        """Of this user, those of whose consents `is_due` says so by id; whether they are gone."""
        return await asyncio.to_thread(
            self._delete, lambda whose, consent_id: whose == user and is_due(consent_id)
        )

    async def sweep(self, voices: Voices) -> None:
        """Delete those whose consent is not kept any more. May raise `StoreError`.

        `voices` must be those of the store that June's calls use: any other knows none of them.
        """
        there = await asyncio.to_thread(self._files)
        gone = {found[2] for found in there.values() if not await voices.is_kept(found[2])}
        await asyncio.to_thread(self._delete, lambda _, consent_id: consent_id in gone)

    def _delete(self, is_due: Callable[[str, str], bool]) -> bool:
        are_gone = True
        for path, found in self._files().items():
            if not is_due(found[1], found[2]):
                continue
            try:
                path.unlink(missing_ok=True)
                log.info("consent.recording_deleted")
            except OSError as error:
                log.warning("consent.recording_not_deleted", error=error.strerror)
                are_gone = False
        return are_gone

    def _files(self) -> dict[Path, re.Match[str]]:
        if not self._folder.is_dir():
            return {}
        named = ((path, _NAME.fullmatch(path.name)) for path in self._folder.iterdir())
        return {path: found for path, found in named if found is not None}
