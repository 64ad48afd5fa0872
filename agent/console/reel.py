"""Sound that somebody pulls: what is still to be played, and how far playing has got."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.console.pcm import SAMPLE_BYTES, silence


@dataclass(frozen=True)
class Started:
    """The first sample of a stretch was pulled."""


@dataclass(frozen=True)
class Finished:
    """A stretch is over: pulled to its end, or cut."""

    samples: int
    """How much of it was pulled."""
    is_cut: bool


@dataclass(frozen=True)
class HasRoom:
    """A reel that was full is not any more."""


Happening = Started | Finished | HasRoom


@dataclass
class _Stretch:
    """What is said without a break between `add` and `close`."""

    pieces: deque[memoryview] = field(default_factory=deque)
    waiting: int = 0
    pulled: int = 0
    is_closed: bool = False
    is_cut: bool = False

    def take(self, samples: int) -> bytes:
        taken: list[memoryview] = []
        wanted = samples * SAMPLE_BYTES
        while wanted and self.pieces:
            piece = self.pieces.popleft()
            if len(piece) > wanted:
                self.pieces.appendleft(piece[wanted:])
                piece = piece[:wanted]
            taken.append(piece)
            wanted -= len(piece)
        pcm = b"".join(taken)
        self.waiting -= len(pcm) // SAMPLE_BYTES
        self.pulled += len(pcm) // SAMPLE_BYTES
        return pcm

    def cut(self) -> None:
        self.pieces.clear()
        self.waiting = 0
        self.is_cut = True


class Reel:
    """One speaker's sound, one stretch after the other. Any thread may pull.

    `tell` is told what happens, in order, by the thread in which it does; each stretch that was
    begun is finished exactly once. It must not call the reel back.
    """

    def __init__(
        self, tell: Callable[[Happening], None], *, longest_samples: int | None = None
    ) -> None:
        self._tell = tell
        self._longest = longest_samples
        self._stretches: deque[_Stretch] = deque()
        self._waiting = 0
        self._is_paused = False
        self._lock = threading.Lock()

    @property
    def is_full(self) -> bool:
        return self._longest is not None and self._waiting >= self._longest

    def add(self, pcm: bytes) -> None:
        """Go on with the stretch that is open, or begin one. After a cut the rest is not kept."""
        with self._lock:
            stretch = self._open()
            if not stretch.is_cut and pcm:
                stretch.pieces.append(memoryview(pcm))
                stretch.waiting += len(pcm) // SAMPLE_BYTES
                self._waiting += len(pcm) // SAMPLE_BYTES

    def _open(self) -> _Stretch:
        if not self._stretches or self._stretches[-1].is_closed:
            self._stretches.append(_Stretch())
        return self._stretches[-1]

    def close(self) -> None:
        """Nothing more comes in this stretch."""
        with self._lock:
            if self._stretches:
                self._stretches[-1].is_closed = True
                self._finish_what_is_over()

    def cut(self) -> None:
        """Play no more of what is here. A stretch that is still open is finished when it closes."""
        with self._lock:
            was_full = self.is_full
            for stretch in self._stretches:
                stretch.cut()
            self._waiting = 0
            self._finish_what_is_over()
            self._tell_of_room(was_full=was_full)

    def pause(self) -> None:
        with self._lock:
            self._is_paused = True

    def resume(self) -> None:
        with self._lock:
            self._is_paused = False

    def pull(self, samples: int) -> bytes:
        """Exactly so many samples; silence where nothing is to be played."""
        with self._lock:
            pcm = b"" if self._is_paused else self._take(samples)
        return pcm + silence(samples - len(pcm) // SAMPLE_BYTES)

    def _take(self, samples: int) -> bytes:
        was_full = self.is_full
        taken: list[bytes] = []
        while samples and self._stretches:
            stretch = self._stretches[0]
            is_new = stretch.pulled == 0
            pcm = stretch.take(samples)
            samples -= len(pcm) // SAMPLE_BYTES
            self._waiting -= len(pcm) // SAMPLE_BYTES
            taken.append(pcm)
            if pcm and is_new:
                self._tell(Started())
            self._finish_what_is_over()
            if self._stretches and self._stretches[0] is stretch:
                break
        self._tell_of_room(was_full=was_full)
        return b"".join(taken)

    def _finish_what_is_over(self) -> None:
        while self._stretches and self._stretches[0].is_closed and not self._stretches[0].waiting:
            stretch = self._stretches.popleft()
            self._tell(Finished(stretch.pulled, stretch.is_cut))

    def _tell_of_room(self, *, was_full: bool) -> None:
        if was_full and not self.is_full:
            self._tell(HasRoom())
