"""PortAudio: which microphones and loudspeakers there are, and sound from and to two of them."""

import importlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal

from livekit import rtc

from agent.console.pcm import RATE, SAMPLE_BYTES, frame
from agent.console.way import Device
from agent.errors import CannotStart

BLOCK_SECONDS = 0.02

LATENCY_SECONDS = 0.1
"""What PortAudio keeps in hand: the callbacks are Python's, and local models keep it waiting."""

WITHOUT_SOUND = "hint: talk without sound: `./june console --text`"

Kind = Literal["input", "output"]

WORDS = {"input": "microphone", "output": "loudspeaker"}


def load_portaudio() -> Any:
    """The module `sounddevice`, which finds the system's PortAudio when it is imported."""
    try:
        return importlib.import_module("sounddevice")
    except OSError:
        raise CannotStart(
            "a call by microphone needs PortAudio, which is not installed\n"
            "hint: run `apt install libportaudio2` (macOS: `brew install portaudio`), or talk "
            "without sound: `./june console --text`"
        ) from None
    except ImportError:
        raise CannotStart(
            "a call by microphone needs the package `sounddevice`, which is not installed\n"
            "hint: run `./june` once with a network, so that it can install it"
        ) from None


def devices(portaudio: Any) -> str:
    """A line for each: its number, its name, and what it can do. `>` and `<` mark the system's."""
    found = portaudio.query_devices()
    if not len(found):
        raise CannotStart(f"there is no sound device on this machine\n{WITHOUT_SOUND}")
    return str(found)


@dataclass(frozen=True)
class Line:
    """One device, and the rate at which sound goes through it."""

    portaudio: Any
    kind: Kind
    device: int
    name: str
    rate: int

    def settings(self) -> dict[str, Any]:
        return {
            "device": self.device,
            "samplerate": self.rate,
            "channels": 1,
            "dtype": "int16",
            "blocksize": int(self.rate * BLOCK_SECONDS),
            "latency": LATENCY_SECONDS,
        }


def find_line(portaudio: Any, kind: Kind, device: Device) -> Line:
    """The device, at June's own rate where it takes that. Raises `CannotStart`."""
    try:
        about = portaudio.query_devices(device, kind)
    except (ValueError, portaudio.PortAudioError) as error:
        if device is None:
            raise CannotStart(
                f"there is no {WORDS[kind]} on this machine\n{WITHOUT_SOUND}"
            ) from None
        raise CannotStart(
            f"`{device}` is not a {WORDS[kind]} on this machine: {_first_line(error)}\n"
            "hint: `./june console --list-devices` shows what there is"
        ) from None
    check = getattr(portaudio, f"check_{kind}_settings")
    reason = ""
    for rate in (RATE, int(about["default_samplerate"])):
        try:
            check(device=about["index"], channels=1, dtype="int16", samplerate=rate)
        except portaudio.PortAudioError as error:
            reason = _first_line(error)
        else:
            return Line(portaudio, kind, about["index"], about["name"], rate)
    raise _unusable(kind, about["name"], reason)


class Streams:
    """Sound both ways, for as long as it is entered.

    `heard` gets what the microphone hears and `said` gives what the loudspeaker plays, both at
    `RATE` and in PortAudio's own threads; there `gone` is called when a device goes away.
    """

    def __init__(
        self,
        microphone: Line,
        loudspeaker: Line,
        *,
        heard: Callable[[bytes], object],
        said: Callable[[int], bytes],
        gone: Callable[[], object],
    ) -> None:
        self._microphone = microphone
        self._loudspeaker = loudspeaker
        self._hear = _Converter(microphone.rate, RATE)
        self._play = _Converter(RATE, loudspeaker.rate)
        self._to_play = bytearray()
        self._heard = heard
        self._said = said
        self._gone = gone
        self._stack = ExitStack()

    def __enter__(self) -> None:
        with ExitStack() as stack:
            for line, stream, callback in (
                (self._loudspeaker, "RawOutputStream", self._on_output),
                (self._microphone, "RawInputStream", self._on_input),
            ):
                make = getattr(line.portaudio, stream)
                try:
                    stack.enter_context(
                        make(callback=callback, finished_callback=self._on_end, **line.settings())
                    )
                except line.portaudio.PortAudioError as error:
                    raise _unusable(line.kind, line.name, _first_line(error)) from None
            self._stack = stack.pop_all()

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def _on_input(self, data: Any, samples: int, at: Any, status: Any) -> None:
        self._heard(self._hear(bytes(data)))

    def _on_output(self, data: Any, samples: int, at: Any, status: Any) -> None:
        wanted = samples * SAMPLE_BYTES
        while len(self._to_play) < wanted:
            self._to_play += self._play(self._said(int(RATE * BLOCK_SECONDS)))
        data[:] = bytes(self._to_play[:wanted])
        del self._to_play[:wanted]

    def _on_end(self) -> None:
        # PortAudio takes no answer: a callback that gives one is reported on the terminal.
        self._gone()


class _Converter:
    """Sound from one rate to another, a block at a time."""

    def __init__(self, rate: int, wanted: int) -> None:
        self._rate = rate
        self._resampler = None if rate == wanted else rtc.AudioResampler(rate, wanted)

    def __call__(self, pcm: bytes) -> bytes:
        if self._resampler is None:
            return pcm
        sound = frame(pcm, self._rate)
        return b"".join(bytes(part.data.cast("b")) for part in self._resampler.push(sound))


def _unusable(kind: Kind, name: str, why: str) -> CannotStart:
    return CannotStart(
        f"the {WORDS[kind]} `{name}` cannot be used: {why}\n"
        f"hint: name another from `./june console --list-devices`: `--{kind}-device NUMBER`"
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
