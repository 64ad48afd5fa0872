"""What June says on its way to a loudspeaker: no sample is lost, repeated or told of wrongly."""

import threading
from collections import deque
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from agent.console.reel import Finished, Happening, HasRoom, Reel, Started

LONGEST = 40


def numbered(first: int, count: int) -> bytes:
    """Samples that can be told apart, none of them silence."""
    return b"".join(
        (number % 30_000 + 1).to_bytes(2, "little") for number in range(first, first + count)
    )


def numbers(pcm: bytes) -> list[int]:
    return [int.from_bytes(pcm[at : at + 2], "little") for at in range(0, len(pcm), 2)]


@dataclass
class Stretch:
    waiting: deque[int] = field(default_factory=deque)
    pulled: int = 0
    is_closed: bool = False
    is_cut: bool = False


class Plain:
    """A reel again, a sample at a time: slow, and easy to believe."""

    def __init__(self) -> None:
        self.stretches: list[Stretch] = []
        self.happened: list[Happening] = []
        self.is_paused = False

    def waiting(self) -> int:
        return sum(len(stretch.waiting) for stretch in self.stretches)

    def add(self, samples: list[int]) -> None:
        if not self.stretches or self.stretches[-1].is_closed:
            self.stretches.append(Stretch())
        if not self.stretches[-1].is_cut:
            self.stretches[-1].waiting.extend(samples)

    def close(self) -> None:
        if self.stretches:
            self.stretches[-1].is_closed = True
        self.finish()

    def cut(self) -> None:
        was_full = self.waiting() >= LONGEST
        for stretch in self.stretches:
            stretch.waiting.clear()
            stretch.is_cut = True
        self.finish()
        if was_full:
            self.happened.append(HasRoom())

    def pull(self, count: int) -> list[int]:
        was_full = self.waiting() >= LONGEST
        pulled: list[int] = []
        while not self.is_paused and len(pulled) < count and self.stretches:
            stretch = self.stretches[0]
            if not stretch.waiting:
                break
            if stretch.pulled == 0:
                self.happened.append(Started())
            pulled.append(stretch.waiting.popleft())
            stretch.pulled += 1
            self.finish()
        if was_full and self.waiting() < LONGEST:
            self.happened.append(HasRoom())
        return pulled + [0] * (count - len(pulled))

    def finish(self) -> None:
        while self.stretches and self.stretches[0].is_closed and not self.stretches[0].waiting:
            stretch = self.stretches.pop(0)
            self.happened.append(Finished(stretch.pulled, stretch.is_cut))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["add", "pull"]), st.integers(0, 25)),
        st.tuples(st.sampled_from(["close", "cut", "pause", "resume"]), st.just(0)),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_is_done_to_it_each_sample_comes_once_and_in_its_place(
    steps: list[tuple[str, int]],
) -> None:
    """And what is told agrees, to the sample, with a model that goes sample by sample."""
    happened: list[Happening] = []
    reel, plain = Reel(happened.append, longest_samples=LONGEST), Plain()
    added = 0
    for step, count in steps:
        match step:
            case "add":
                pcm = numbered(added, count)
                added += count
                reel.add(pcm)
                plain.add(numbers(pcm))
            case "pull":
                assert numbers(reel.pull(count)) == plain.pull(count)
            case "close":
                reel.close()
                plain.close()
            case "cut":
                reel.cut()
                plain.cut()
            case "pause" | "resume":
                plain.is_paused = step == "pause"
                reel.pause() if step == "pause" else reel.resume()
        assert happened == plain.happened
        assert reel.is_full == (plain.waiting() >= LONGEST)


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=8), st.lists(st.integers(1, 9), min_size=1)
)
def test_every_stretch_that_was_begun_is_finished_once(
    stretches: list[int], pulls: list[int]
) -> None:
    """At its full length, in order, whatever the steps in which it is pulled."""
    happened: list[Happening] = []
    reel = Reel(happened.append)
    for length in stretches:
        reel.add(numbered(0, length))
        reel.close()
    left = sum(stretches)
    while left > 0:
        for count in pulls:
            reel.pull(count)
            left -= count
    assert [one for one in happened if isinstance(one, Finished)] == [
        Finished(length, is_cut=False) for length in stretches
    ]


def test_a_pause_loses_nothing() -> None:
    """Silence comes meanwhile, and then the very next sample."""
    reel = Reel(lambda _: None)
    reel.add(numbered(0, 10))
    assert numbers(reel.pull(4)) == [1, 2, 3, 4]
    reel.pause()
    assert numbers(reel.pull(3)) == [0, 0, 0]
    reel.resume()
    assert numbers(reel.pull(3)) == [5, 6, 7]


def test_what_is_cut_says_how_much_of_it_was_heard() -> None:
    """What came after the cut belongs to what was cut, until it is closed."""
    happened: list[Happening] = []
    reel = Reel(happened.append)
    reel.add(numbered(0, 10))
    reel.pull(4)
    reel.cut()
    reel.add(numbered(10, 10))
    assert numbers(reel.pull(2)) == [0, 0]
    assert happened == [Started()]
    reel.close()
    assert happened == [Started(), Finished(4, is_cut=True)]


def test_a_thread_that_pulls_meets_one_that_adds() -> None:
    """A sound card's thread takes what the event loop gives: all of it, in order."""
    finished = threading.Event()
    reel = Reel(lambda happening: finished.set() if isinstance(happening, Finished) else None)
    pulled: list[int] = []

    def pull() -> None:
        while not finished.is_set():
            pulled.extend(number for number in numbers(reel.pull(7)) if number)

    card = threading.Thread(target=pull)
    card.start()
    for first in range(0, 20_000, 50):
        reel.add(numbered(first, 50))
    reel.close()
    card.join(10)
    assert pulled == list(range(1, 20_001))
