"""Recordings of consents, for operators who must be able to play them: a file each.

They lie on the machine where the call took place, as long as their consent is kept.
"""

import asyncio
import os
import re
import tempfile
from pathlib import Path

import structlog

from agent.voices.samples import frame_of
from session import Voices
from skills.sound import Sound

log = structlog.get_logger(__name__)

FOLDER = "consents"
_NAME = re.compile(r"([0-9a-f]{32})\.wav")


class Recordings:
    """In June's folder, readable by her alone. Outlives calls and workers."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER

    def keep(self, consent_id: str, said: Sound) -> None:
        """Whole or not at all. Blocks; raises `OSError`."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(frame_of(said).to_wav_bytes())
            Path(name).replace(self._folder / f"{consent_id}.wav")
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    async def sweep(self, voices: Voices) -> None:
        """Delete those whose consent is not kept any more. May raise `StoreError`."""
        for path in await asyncio.to_thread(self._files):
            named = _NAME.fullmatch(path.name)
            if named is not None and not await voices.is_kept(named[1]):
                await asyncio.to_thread(path.unlink, missing_ok=True)
                log.info("consent.recording_deleted")

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.wav"))
