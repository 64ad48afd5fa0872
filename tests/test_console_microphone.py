"""A call by microphone, with a sound card that is a script."""

import io
import math
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc

from agent.config import Config, load
from agent.console import here
from agent.console.hurry import run_hurried
from agent.console.levels import DEAF_SECONDS, Deafness, Meter, level_db
from agent.console.microphone import talk_by_microphone
from agent.console.pcm import RATE
from agent.console.portaudio import Streams, devices, find_line, load_portaudio
from agent.console.way import Way, device
from agent.errors import CannotStart
from room.voices import recording

HURRY = 8.0


class PortAudioError(Exception):
    pass


class Stream:
    """A device's thread, which calls back for every block, `HURRY` times too fast."""

    def __init__(self, card: "Card", **settings: Any) -> None:
        self.card = card
        self.settings = settings
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        if self.card.fails_to_open:
            raise PortAudioError("Device unavailable [PaErrorCode -9985]\nmore")
        self._thread.start()

    def __exit__(self, *exc_info: object) -> None:
        self._ending.set()
        self._thread.join()
        # PortAudio complains about a callback that answers.
        assert self.settings["finished_callback"]() is None

    def _run(self) -> None:
        samples = self.settings["blocksize"]
        due = time.monotonic()
        while not self._ending.is_set() and self.card.pass_on(self, samples):
            due += samples / self.settings["samplerate"] / HURRY
            self._ending.wait(max(0.0, due - time.monotonic()))
        if not self._ending.is_set():
            self.settings["finished_callback"]()

    def call_back(self, data: Any, samples: int) -> None:
        assert self.settings["callback"](data, samples, None, None) is None


class Card:
    """`sounddevice` with a microphone and a loudspeaker; what is played is kept."""

    PortAudioError = PortAudioError

    def __init__(self, *, rates: tuple[int, ...] = (RATE,), heard: bytes = b"") -> None:
        self.rates = rates
        self.has_devices = True
        self.takes_no_rate = False
        self.fails_to_open = False
        self.heard = heard
        self.blocks_before_it_breaks: int | None = None
        self.played = bytearray()
        self.opened: list[dict[str, Any]] = []

    def query_devices(self, device: int | str | None = None, kind: str | None = None) -> Any:
        if kind is None:
            return ("> 0 Mic", "< 1 Loudspeaker") if self.has_devices else ()
        number = {"input": 0, "output": 1}[kind] if device is None else device
        if not self.has_devices or number == 7:
            raise PortAudioError(f"Error querying device {number}")
        if isinstance(number, str):
            raise ValueError(f"No {kind} device matching {number!r}")  # noqa: TRY004  as it does
        return {"index": number, "name": f"the {kind}", "default_samplerate": float(self.rates[-1])}

    def _check(self, *, device: int, channels: int, dtype: str, samplerate: int) -> None:
        if self.takes_no_rate or samplerate not in self.rates:
            raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")

    check_input_settings = check_output_settings = _check

    def RawInputStream(self, **settings: Any) -> Stream:  # noqa: N802  its name
        self.opened.append(settings)
        return Stream(self, kind="input", **settings)

    def RawOutputStream(self, **settings: Any) -> Stream:  # noqa: N802  its name
        self.opened.append(settings)
        return Stream(self, kind="output", **settings)

    def pass_on(self, stream: Stream, samples: int) -> bool:
        if stream.settings["kind"] == "output":
            block = memoryview(bytearray(2 * samples))
            stream.call_back(block, samples)
            self.played += block
            return True
        if self.blocks_before_it_breaks is not None:
            self.blocks_before_it_breaks -= 1
        heard, self.heard = self.heard[: 2 * samples], self.heard[2 * samples :]
        stream.call_back(heard.ljust(2 * samples, b"\0"), samples)
        return self.blocks_before_it_breaks != 0


class Speech:
    """Hears what a script says, one utterance after the other, and speaks beeps."""

    speaking_rate = 22_050

    def __init__(self, *heard: str) -> None:
        self._heard = list(heard)

    async def transcribe(self, pcm: bytes, *, final: bool) -> str:
        if not final:
            return ""
        return self._heard.pop(0) if self._heard else "goodbye"

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        yield b"\x00\x10" * int(self.speaking_rate * 0.02) * len(text)

    async def aclose(self) -> None:
        """Nothing is held."""


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    card = Card()
    monkeypatch.setitem(sys.modules, "sounddevice", card)
    return card


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("JUNE_DATA__DIR", str(tmp_path))
    return load(None)


def spoken(name: str, seconds: float) -> bytes:
    """The beginning of a recording of a person."""
    resampler = rtc.AudioResampler(48_000, RATE)
    sound = b"".join(bytes(part.data.cast("b")) for part in resampler.push(recording(name)))
    return sound[: int(2 * RATE * seconds)]


def test_a_call_by_microphone_is_the_same_call(
    card: Card, config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both devices at June's rate; a person is heard, answered aloud, and June hangs up."""
    monkeypatch.setattr(here, "local_speech", lambda _: Speech("Goodbye June."))
    card.heard = bytes(2 * RATE * 3) + spoken("beckett", 1.2)
    code = run_hurried(talk_by_microphone(config, Way(), verbose=True), HURRY)
    printed, told = capsys.readouterr()
    assert code == 0
    assert "june: Hello, this is June." in printed
    assert "you:  Goodbye June." in printed
    assert printed.count("oodbye") >= 2
    assert "by `the input`" in told
    assert "headphones" in told
    assert {stream["samplerate"] for stream in card.opened} == {RATE}
    assert any(card.played)


def test_a_microphone_that_goes_away_ends_the_call_in_words(
    card: Card, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plug that is pulled is no silence."""
    monkeypatch.setattr(here, "local_speech", lambda _: Speech())
    card.blocks_before_it_breaks = 50
    with pytest.raises(CannotStart, match="went away during the call"):
        run_hurried(talk_by_microphone(config, Way(), verbose=False), HURRY)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_a_device_with_a_rate_of_its_own_is_used_at_that(card: Card, rate: int) -> None:
    """What is heard and said keeps its length."""
    card.rates = (8_000, rate)
    card.heard = b"\x00\x10" * rate
    heard: list[bytes] = []
    asked = [0]

    def say(samples: int) -> bytes:
        asked[0] += samples
        return b"\x00\x10" * samples

    lines = find_line(card, "input", None), find_line(card, "output", None)
    assert {line.rate for line in lines} == {rate}
    streams = Streams(*lines, heard=heard.append, said=say, gone=lambda: None)
    with streams:
        while len(b"".join(heard)) < 2 * RATE or len(card.played) < 2 * rate:
            time.sleep(0.01)
    assert asked[0] / RATE == pytest.approx(len(card.played) / 2 / rate, abs=0.1)
    said = [sample for sample in memoryview(card.played).cast("h") if sample]
    assert len(said) / rate == pytest.approx(asked[0] / RATE, abs=0.1)


def test_without_portaudio_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sounddevice` looks for it when it is imported."""
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    with pytest.raises(CannotStart, match=r"hint: run `apt install libportaudio2`.*--text`"):
        load_portaudio()
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(CannotStart, match="the package `sounddevice`, which is not installed"):
        load_portaudio()


def test_without_a_device_it_is_said_how_to_talk_all_the_same(card: Card) -> None:
    """Plainly, for each end and for the list."""
    card.has_devices = False
    for asked, complaint in (
        (lambda: find_line(card, "input", None), "there is no microphone on this machine"),
        (lambda: find_line(card, "output", None), "there is no loudspeaker on this machine"),
        (lambda: devices(card), "there is no sound device on this machine"),
    ):
        with pytest.raises(CannotStart, match=rf"{complaint}\nhint: .*console --text"):
            asked()


@pytest.mark.parametrize(("word", "meant"), [("7", 7), ("webcam", "webcam")])
def test_a_device_that_is_not_there_is_named(card: Card, word: str, meant: int | str) -> None:
    """By number or by name, with how to see which there are."""
    assert device(word) == meant
    with pytest.raises(CannotStart, match=rf"`{word}` is not a microphone(.|\n)*--list-devices"):
        find_line(card, "input", device(word))


def test_a_device_that_cannot_be_opened_is_named(card: Card) -> None:
    """With PortAudio's reason, and how to choose another."""
    card.rates = (8_000,)
    card.takes_no_rate = True
    with pytest.raises(CannotStart, match=r"`the output` cannot be used: Invalid(.|\n)*NUMBER"):
        find_line(card, "output", None)
    card.takes_no_rate = False
    card.fails_to_open = True
    lines = find_line(card, "input", None), find_line(card, "output", None)
    streams = Streams(*lines, heard=lambda _: None, said=bytes, gone=lambda: None)
    with pytest.raises(CannotStart, match=r"`the output` cannot be used: Device unav.*\]\nhint"):
        streams.__enter__()


def test_the_devices_are_listed(card: Card) -> None:
    """As PortAudio does."""
    assert "Mic" in devices(card)


def test_the_level_is_measured_from_full_scale() -> None:
    """Whatever the length; digital silence has none."""
    assert level_db(b"\xff\x7f" * 480) == pytest.approx(0, abs=0.01)
    assert level_db(b"\xff\x3f\x01\xc0" * 100) == pytest.approx(-6.02, abs=0.01)
    assert level_db(bytes(960)) == -math.inf
    assert level_db(b"") == -math.inf


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_levels_are_shown_on_a_terminal_in_a_line_that_makes_way() -> None:
    """Ten times a second; louder is longer."""
    screen = Terminal()
    meter = Meter(screen)
    for loud in (b"\x40\x00", b"\x00\x40"):
        for _ in range(5):
            meter.show(loud * (RATE // 50))
    quiet, noisy = (line.count("#") for line in screen.getvalue().split("\r") if line.strip())
    assert 0 < quiet < noisy < 31
    meter.clear()
    assert screen.getvalue().endswith(f"\r{'':36}\r")


def test_levels_are_not_written_into_a_file() -> None:
    """Where nobody looks on."""
    file = io.StringIO()
    meter = Meter(file)
    for _ in range(50):
        meter.show(b"\x00\x40" * (RATE // 50))
    meter.clear()
    assert file.getvalue() == ""


def test_a_microphone_that_is_muted_is_noticed_once() -> None:
    """A single sound shows that it lives."""
    blocks = int(DEAF_SECONDS * 50)
    silent = bytes(2 * (RATE // 50))
    muted, alive = Deafness(), Deafness()
    assert [muted.is_found_in(silent) for _ in range(3 * blocks)].count(True) == 1
    assert not alive.is_found_in(b"\x01" + silent[1:])
    assert not any(alive.is_found_in(silent) for _ in range(3 * blocks))
