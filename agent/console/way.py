"""Which of its three ways a console was asked for, and whether the words fit together."""

from dataclasses import dataclass
from pathlib import Path

from agent.errors import CannotStart

Device = int | str | None
"""PortAudio's number of it, a part of its name, or whichever is the system's own."""


@dataclass(frozen=True)
class Way:
    """The console's words on the command line. Without `text` and `wav` it is the microphone."""

    text: bool = False
    wav: Path | None = None
    out: Path | None = None
    fast: bool = False
    input_device: Device = None
    output_device: Device = None
    seed: int | None = None

    def check(self) -> None:
        """Raise `CannotStart` at what would be ignored, or lose something."""
        has_devices = self.input_device is not None or self.output_device is not None
        if self.text and self.wav is not None:
            raise CannotStart(
                "`--text` and `--wav` are two ways to talk\nhint: leave one of them away"
            )
        if has_devices and (self.text or self.wav is not None):
            raise CannotStart(
                "`--input-device` and `--output-device` are for a call by microphone\n"
                "hint: leave them away"
            )
        if self.wav is None and self.seed is not None:
            raise CannotStart(
                "`--seed` needs a recording to play\n"
                f"hint: `./june console --wav question.wav --seed {self.seed}`"
            )
        if self.wav is None and (self.out is not None or self.fast):
            word = "--fast" if self.out is None else "--out"
            raise CannotStart(
                f"`{word}` needs a recording to play\n"
                f"hint: `./june console --wav question.wav {word}"
                f"{'' if self.out is None else f' {self.out}'}`"
            )
        if self.wav is not None and self.out is not None and _are_same(self.wav, self.out):
            raise CannotStart(
                f"`--wav` and `--out` are the same file (got `{self.out}`)\n"
                "hint: name another: `--out answer.wav`"
            )


def device(word: str | None) -> Device:
    return int(word) if word is not None and word.isdecimal() else word


def _are_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)
