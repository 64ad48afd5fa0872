"""An answer that is written slowly is spoken before its first sentence is complete."""

import asyncio
import gc
import math
from collections.abc import AsyncGenerator, Callable

import pytest
from guard_fakes import flying_time
from hypothesis import given
from hypothesis import strategies as st
from livekit.agents import FlushSentinel, llm

from agent.early import MARGIN_SECONDS, said_early
from agent.models.audible import can_be_said
from agent.models.turn_clock import VOICE_SECONDS, TurnClock
from agent.reply import Chunk, text_of

FLUSH = "|"
"""As it stands in what was said."""

CYCLES = 9
"""Of the event loop: enough for whatever needs no time."""


class Mind:
    """Writes these pieces. An event among them is waited for; an error is raised."""

    def __init__(self, *pieces: Chunk | asyncio.Event | Exception) -> None:
        self.pieces = pieces
        self.closed = False

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        try:
            for piece in self.pieces:
                match piece:
                    case asyncio.Event():
                        await piece.wait()
                    case Exception():
                        raise piece
                    case _:
                        yield piece
        finally:
            await asyncio.sleep(0)  # a stream needs a moment to close
            self.closed = True


class Reader:
    """Takes what is said as soon as it is there."""

    def __init__(self, mind: Mind, clock: TurnClock) -> None:
        self.heard: list[Chunk] = []
        self.tasks = asyncio.all_tasks()
        self.chunks = said_early(mind.chunks(), clock)
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for chunk in self.chunks:
            self.heard.append(chunk)

    @property
    def said(self) -> str:
        return "".join(
            FLUSH if isinstance(one, FlushSentinel) else text_of(one) for one in self.heard
        )

    async def so_far(self) -> str:
        for _ in range(CYCLES):
            await asyncio.sleep(0)
        return self.said

    async def in_the_end(self) -> str:
        await self.reading
        return self.said

    def left_behind(self) -> set[asyncio.Task[object]]:
        return asyncio.all_tasks() - self.tasks - {self.reading}


class Scene:
    """A turn of which so much time is left before something must be flushed."""

    def __init__(self, spare_seconds: float, now: Callable[[], float] = lambda: 0.0) -> None:
        passed_seconds = 0.0
        self.clock = TurnClock(lambda: now() + passed_seconds)
        self.clock.begin("turn")
        passed_seconds = self.clock.left_seconds - VOICE_SECONDS - MARGIN_SECONDS - spare_seconds


@pytest.fixture
def late() -> TurnClock:
    """Nothing to spare."""
    return Scene(0.0).clock


@pytest.fixture
def early() -> TurnClock:
    """No turn's time is running out."""
    return Scene(2.0).clock


def loop_time() -> Callable[[], float]:
    """Of the running loop, which may fly."""
    return asyncio.get_running_loop().time


def in_a_chunk(text: str) -> llm.ChatChunk:
    return llm.ChatChunk(id="1", delta=llm.ChoiceDelta(role="assistant", content=text))


async def test_an_answer_that_comes_in_time_is_left_as_it_is(early: TurnClock) -> None:
    mind = Mind("The capital ", "of France ", "is Paris.")
    assert await Reader(mind, early).in_the_end() == "The capital of France is Paris."
    assert mind.closed


async def test_what_is_there_is_flushed_once_when_time_runs_out(late: TurnClock) -> None:
    """And what comes later is spoken after it, at its own pace."""
    first, second = asyncio.Event(), asyncio.Event()
    reader = Reader(Mind("The capital ", first, "of France ", second, "is Paris."), late)
    assert await reader.so_far() == "The capital |"
    first.set()
    assert await reader.so_far() == "The capital |of France "
    second.set()
    assert await reader.in_the_end() == "The capital |of France is Paris."


async def test_it_is_flushed_when_the_time_has_run_out_and_not_before() -> None:
    writes = asyncio.Event()
    with flying_time():
        reader = Reader(Mind("The capital ", writes), Scene(2.0, loop_time()).clock)
        await asyncio.sleep(1.9)
        assert await reader.so_far() == "The capital "
        await asyncio.sleep(0.2)
        assert await reader.so_far() == "The capital |"
        writes.set()
        assert await reader.in_the_end() == "The capital |"


@pytest.mark.parametrize("wordless", ["", " \n", "**", "… ", "🎉"])
async def test_nothing_is_flushed_before_there_is_a_word(late: TurnClock, wordless: str) -> None:
    """A voice would make nothing of it, or a failure."""
    writes, ends = asyncio.Event(), asyncio.Event()
    reader = Reader(Mind(wordless, writes, in_a_chunk("Paris"), ends), late)
    assert await reader.so_far() == wordless
    writes.set()
    assert await reader.so_far() == f"{wordless}Paris|"
    ends.set()
    await reader.in_the_end()


@pytest.mark.parametrize("wordless", ["", " ", "... ", "**"])
async def test_a_word_stays_one_whatever_comes_after_it(late: TurnClock, wordless: str) -> None:
    """What is waiting to be spoken is all of it, not its newest piece."""
    ends = asyncio.Event()
    reader = Reader(Mind("Paris", wordless, ends), late)
    await reader.so_far()
    assert await reader.so_far() == f"Paris{wordless}|"
    ends.set()
    await reader.in_the_end()


async def test_nothing_is_flushed_while_nobody_waits() -> None:
    """June is speaking already, or nobody has asked her anything."""
    for has_begun in (False, True):
        clock = TurnClock(lambda: 0.0)
        if has_begun:
            clock.begin("turn")
            clock.heard()
        assert clock.left_seconds == math.inf
        writes = asyncio.Event()
        reader = Reader(Mind("The capital ", writes, "of France"), clock)
        assert await reader.so_far() == "The capital "
        writes.set()
        assert await reader.in_the_end() == "The capital of France"


async def test_the_use_of_a_tool_needs_no_flush(late: TurnClock) -> None:
    call = llm.FunctionToolCall(name="end_call", arguments="{}", call_id="1")
    use, ends = llm.ChatChunk(id="1", delta=llm.ChoiceDelta(tool_calls=[call])), asyncio.Event()
    reader = Reader(Mind(use, ends), late)
    assert await reader.so_far() == ""
    ends.set()
    assert await reader.in_the_end() == ""


@given(st.lists(st.text(max_size=9)), st.lists(st.integers(0, 9)), st.booleans())
async def test_no_text_is_lost_and_a_word_stands_before_the_one_flush(
    texts: list[str], stalls: list[int], is_late: bool
) -> None:
    """Wherever it stalls."""
    pieces: list[Chunk | asyncio.Event] = list(texts)
    events = [asyncio.Event() for _ in stalls]
    for place, event in zip(stalls, events, strict=True):
        pieces.insert(place, event)
    reader = Reader(Mind(*pieces), Scene(0.0 if is_late else 2.0).clock)
    for event in events:
        await reader.so_far()
        event.set()
    await reader.in_the_end()
    assert "".join(map(text_of, reader.heard)) == "".join(texts)
    flushes = [at for at, one in enumerate(reader.heard) if isinstance(one, FlushSentinel)]
    assert len(flushes) <= is_late
    for at in flushes:
        assert can_be_said("".join(map(text_of, reader.heard[:at])))


@pytest.mark.parametrize("is_late", [False, True])
async def test_an_error_comes_after_what_was_said(is_late: bool) -> None:
    fails = asyncio.Event()
    mind = Mind("The capital ", fails, ValueError("cut"))
    reader = Reader(mind, Scene(0.0 if is_late else 2.0).clock)
    await reader.so_far()
    fails.set()
    with pytest.raises(ValueError, match="cut"):
        await reader.in_the_end()
    assert reader.said == ("The capital |" if is_late else "The capital ")
    assert mind.closed
    assert not reader.left_behind()


@pytest.mark.parametrize("spare_seconds", [0.0, 2.0, math.inf])
@pytest.mark.parametrize("words", [(), ("The capital ",)])
async def test_who_is_cancelled_leaves_nothing_behind(
    spare_seconds: float, words: tuple[str, ...]
) -> None:
    """The caller cuts in while the mind is writing: its request ends with it."""
    clock = TurnClock() if spare_seconds == math.inf else Scene(spare_seconds).clock
    mind = Mind(*words, asyncio.Event())
    reader = Reader(mind, clock)
    await reader.so_far()
    reader.reading.cancel()
    await asyncio.wait({reader.reading})
    assert reader.reading.cancelled()
    assert mind.closed
    assert not reader.left_behind()


async def closed_after(mind: Mind, clock: TurnClock, chunks: int) -> set[asyncio.Task[object]]:
    """Tasks that are left when somebody stops reading after so many."""
    before = asyncio.all_tasks()
    said = said_early(mind.chunks(), clock)
    for _ in range(chunks):
        await anext(said)
    await said.aclose()
    return asyncio.all_tasks() - before


@pytest.mark.parametrize("chunks", [1, 2])
async def test_who_stops_reading_leaves_nothing_behind(late: TurnClock, chunks: int) -> None:
    """After a word, and after the flush, while the next word is being waited for."""
    mind = Mind("The capital ", asyncio.Event())
    assert not await closed_after(mind, late, chunks)
    assert mind.closed


@pytest.mark.parametrize("stops", [TurnClock.heard, TurnClock.pause])
async def test_nothing_is_flushed_once_nobody_waits(stops: Callable[[TurnClock], None]) -> None:
    """June begins to speak, or the turn comes to nothing, while the next piece is waited for."""
    writes = asyncio.Event()
    with flying_time():
        scene = Scene(2.0, loop_time())
        reader = Reader(Mind("The capital ", writes, "of France"), scene.clock)
        await asyncio.sleep(1.0)
        stops(scene.clock)
        await asyncio.sleep(60.0)
        assert await reader.so_far() == "The capital "
        writes.set()
        assert await reader.in_the_end() == "The capital of France"


async def test_a_clock_that_begins_anew_has_its_time() -> None:
    """As it does after a tool."""
    writes = asyncio.Event()
    with flying_time():
        scene = Scene(2.0, loop_time())
        reader = Reader(Mind("The capital ", writes), scene.clock)
        await asyncio.sleep(1.0)
        scene.clock.begin("another turn")
        left = scene.clock.left_seconds - VOICE_SECONDS - MARGIN_SECONDS
        await asyncio.sleep(left - 0.1)
        assert await reader.so_far() == "The capital "
        await asyncio.sleep(0.2)
        assert await reader.so_far() == "The capital |"
        writes.set()
        await reader.in_the_end()


async def test_an_error_that_nobody_reads_any_more_is_not_logged(late: TurnClock) -> None:
    """The mind fails while its first words are being flushed, and the caller cuts in."""
    unread: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unread.append(context["message"]))
    fails = asyncio.Event()
    mind = Mind("The capital ", fails, ValueError("cut"))
    said = said_early(mind.chunks(), late)
    assert [await anext(said), type(await anext(said))] == ["The capital ", FlushSentinel]
    fails.set()
    for _ in range(CYCLES):
        await asyncio.sleep(0)
    await said.aclose()
    assert mind.closed
    del said, mind
    gc.collect()
    loop.set_exception_handler(None)
    assert unread == []
