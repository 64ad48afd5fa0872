"""Where the time of each turn went, as lines on a terminal."""

from collections.abc import Iterable, Iterator, Sequence

from session import TurnMetrics
from session.percentiles import nearest_rank

WIDTH = 40
"""Characters of a bar."""

LEAST_SECONDS = 1.5
"""That a bar stands for: so that the bars of quick turns can be compared."""

STAGES = {
    "final_text": "words",
    "end_of_turn": "end of turn",
    "first_token": "token",
    "first_clause": "clause",
    "first_audio": "sound",
}
"""In the order in which one makes the next possible."""

SIGNS = dict(zip(STAGES, "░▒▓█●", strict=True))


def waterfalls(turns: Sequence[TurnMetrics]) -> str:
    """A bar and its numbers for each turn, and what is in the middle of all; "" without any."""
    if not turns:
        return ""
    turns = sorted(turns, key=lambda turn: turn.at)
    ends = [max(_reached(turn).values(), default=0.0) for turn in turns]
    seconds = max(LEAST_SECONDS, *ends)
    lines = [line for turn in turns for line in _lines(turn, seconds)]
    key = "  ".join(f"{SIGNS[stage]} {name}" for stage, name in STAGES.items())
    head = (
        f"where the time went, in seconds after the end of speech; a bar is {seconds:.1f} s\n{key}"
    )
    return "\n".join([head, *lines, *_middle(turns)])


def bar(turn: TurnMetrics, seconds: float) -> str:
    """`WIDTH` characters for so many seconds; each shows which stage was waited for."""
    reached = sorted((at, stage) for stage, at in _reached(turn).items())
    drawn = ""
    for at, stage in reached:
        until = min(WIDTH - 1, max(0, round(at / seconds * WIDTH)))
        drawn += SIGNS[stage] * (until - len(drawn))
    if turn.stages is not None and turn.stages.first_audio is not None:
        drawn = drawn[: WIDTH - 1] + SIGNS["first_audio"]
    return drawn.ljust(WIDTH)


def _lines(turn: TurnMetrics, seconds: float) -> Iterator[str]:
    if turn.turn <= 0:
        if turn.first_word_seconds is not None:
            yield f"greeting  first word after {turn.first_word_seconds:.2f}"
        return
    name = f"turn {turn.turn}".ljust(8)
    yield f"{name}  {bar(turn, seconds)}  {_notes(turn)}".rstrip()
    if reached := _reached(turn):
        numbers = (f"{STAGES[stage]} {at:.2f}" for stage, at in reached.items())
        yield f"{'':8}  {'  '.join(numbers)}"


def _notes(turn: TurnMetrics) -> str:
    notes = ["typed"] if turn.is_typed else []
    if turn.refused is not None:
        notes.append(f"refused: {turn.refused}")
    if turn.is_interrupted:
        heard = (
            "" if turn.heard_characters is None else f" after {turn.heard_characters} characters"
        )
        notes.append(f"interrupted{heard}")
    if not _reached(turn):
        notes.append("not measured")
    elif _reply_seconds(turn) is None:
        notes.append("no answer was heard")
    return ", ".join(notes)


def _middle(turns: Iterable[TurnMetrics]) -> Iterator[str]:
    """As the page has it: of every reply that was timed."""
    times = sorted(
        at for turn in turns if turn.turn > 0 and (at := _reply_seconds(turn)) is not None
    )
    if times:
        yield f"{'median':8}  {nearest_rank(times, 0.5):.2f} of {len(times)}"


def _reply_seconds(turn: TurnMetrics) -> float | None:
    first_audio = None if turn.stages is None else turn.stages.first_audio
    return turn.reply_seconds if first_audio is None else first_audio


def _reached(turn: TurnMetrics) -> dict[str, float]:
    """When, in the order of `STAGES`, without what was not measured."""
    if turn.stages is None:
        return {} if turn.reply_seconds is None else {"first_audio": turn.reply_seconds}
    told = turn.stages.model_dump(exclude_none=True)
    return {stage: told[stage] for stage in STAGES if stage in told}
