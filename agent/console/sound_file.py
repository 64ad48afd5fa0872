"""Sound files as a caller's speech: any format, rate and channels that FFmpeg reads."""

import struct
from pathlib import Path
from typing import BinaryIO

import av
from av.audio.stream import AudioStream
from av.filter import Graph

from agent.console.pcm import RATE, SAMPLE_BYTES, seconds
from agent.errors import CannotStart

LONGEST_SECONDS = 3600.0
"""As long as the longest call, unless `agent.toml` allows more; an hour takes 170 MB."""

UNKNOWN_BYTES = 0x7FFF_F000
"""A wav that was written to a pipe has a length of at least this in its header, or of 0."""


class UnusableSound(CannotStart):
    """The file cannot be a caller's speech."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"`{path}` {why}\nhint: name a recording: `./june console --wav question.wav`"
        )


def read_sound(path: Path) -> bytes:
    """All of it, as the console's own kind of sound. Raises `UnusableSound`; blocks."""
    try:
        if path.is_dir():
            raise UnusableSound(path, "is a folder, not a sound file")
        with path.open("rb") as file:
            pcm = _decode(path, file)
    except FileNotFoundError:
        raise UnusableSound(path, "does not exist") from None
    except av.FFmpegError as error:
        why = f"is not a sound file that June can read: {error.strerror}"
        raise UnusableSound(path, why) from None
    except OSError as error:
        raise UnusableSound(path, f"cannot be read: {error.strerror or error}") from None
    if not pcm:
        raise UnusableSound(path, "holds no sound")
    return pcm


def _decode(path: Path, file: BinaryIO) -> bytes:
    if not file.read(1):
        raise UnusableSound(path, "is empty")
    file.seek(0)
    if missing := _missing_bytes(file):
        raise UnusableSound(path, f"is truncated: the last {missing:,} bytes are missing")
    file.seek(0)
    with av.open(file, mode="r") as container:
        if not container.streams.audio:
            raise UnusableSound(path, "holds no sound")
        stream = container.streams.audio[0]
        graph = _converter(stream)
        pcm = bytearray()
        for frame in container.decode(stream):
            graph.push(frame)
            pcm += _converted(graph)
            if seconds(pcm) > LONGEST_SECONDS:
                raise UnusableSound(path, f"is longer than {LONGEST_SECONDS / 60:.0f} minutes")
        graph.push(None)
        pcm += _converted(graph)
    return bytes(pcm)


def _missing_bytes(file: BinaryIO) -> int:
    """How much shorter a wav file is than its header says. FFmpeg would read what is there."""
    end = file.seek(0, 2)
    file.seek(0)
    if file.read(4) != b"RIFF":
        return 0
    file.seek(12)
    while len(header := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", header)
        here = file.tell()
        if name == b"data":
            return 0 if size >= UNKNOWN_BYTES else max(0, here + int(size) - end)
        file.seek(here + size + size % 2)
    return 0


def _converter(stream: AudioStream) -> Graph:
    """Mixes whatever channels there are, each as loud as the others: a caller may be on any."""
    graph = Graph()
    channels = "+".join(f"c{number}" for number in range(stream.channels))
    graph.link_nodes(
        graph.add_abuffer(template=stream),
        graph.add("pan", f"mono|c0<{channels}"),
        graph.add("aformat", f"sample_fmts=s16:sample_rates={RATE}:channel_layouts=mono"),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _converted(graph: Graph) -> bytes:
    """What has come out by now."""
    pcm = bytearray()
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return bytes(pcm)
        assert isinstance(frame, av.AudioFrame)
        pcm += bytes(frame.planes[0])[: frame.samples * SAMPLE_BYTES]
