"""What people wrap a request in: "June, could you please …, thanks"."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from skills.words import words_of

Wrapping = tuple[str, ...]


def _read(said: Iterable[str]) -> tuple[Wrapping, ...]:
    return tuple(tuple(words_of(one).plain.split()) for one in said)


BEFORE = _read(
    (
        *("june", "hey june", "hey", "hi", "hello", "ok", "ok so", "so", "well", "now", "right"),
        *("just", "please", "and", "then", "oh", "actually", "all right", "great", "perfect"),
        *("thanks", "thank you", "sorry", "excuse me", "yes", "yeah", "sure", "listen", "look"),
        *("good morning", "good evening", "good afternoon", "hello there", "hi there", "maybe"),
        *("could you", "can you", "would you", "will you", "would you mind", "could you maybe"),
        *("can you please", "could you possibly", "would you be able to", "are you able to"),
        *("i would like you to", "i want you to", "i need you to", "i would love you to"),
        *("i would like to", "i want to", "i need to", "i would love to", "can we", "could we"),
        *("can i", "could i", "may i", "i think we should", "we should", "shall we", "we can"),
        *("let us", "go ahead and", "do me a favor and", "be so kind and", "kindly", "quickly"),
        *("do you think you could", "i was wondering if you could", "i wonder if you could"),
        *("why do not you", "why don't you", "how about you", "is it possible to", "you could"),
        *("you can", "i think", "i guess", "if you can", "for me", "one more thing", "also"),
        *("would it be possible to", "is there any chance you could", "any chance you could"),
        *("i am bored", "i am so bored", "i can't sleep", "i have an idea", "i need help"),
        *("no june", "no wait", "wait", "hang on", "hold on", "one second", "come on", "cool"),
    )
)
BEFORE_A_STOP = _read(("no", "nope", "nah"))
"""Only with a comma behind it: "no more" is not "more"."""
AFTER = _read(
    (
        *("please", "thanks", "thank you", "thanks a lot", "thank you very much", "thank you june"),
        *("if you can", "if you could", "would you", "will you", "could you", "can you"),
        *("if you do not mind", "if you don't mind", "if that is ok", "if possible"),
        *("if you please", "thanks so much", "thank you so much", "cheers", "pretty please"),
        *("or something", "or something like that", "or so", "real quick please"),
        *("will ya", "if you would", "when you can", "june please", "thanks june", "please june"),
    )
)
AFTER_A_STOP = _read(
    (
        *("june", "now", "right now", "for me", "to me", "ok", "all right", "then", "today"),
        *("real quick", "quickly", "dear", "my dear", "love"),
    )
)
"""Politeness, but it may be part of a free text too, as in "note that I fly in June"."""
MOST_LAYERS = 4
"""On each side. Who asks more politely than that is understood by the model."""


@dataclass(frozen=True)
class Inside:
    """A part of an utterance that may be the request itself."""

    start: int
    end: int
    is_sure: bool
    """Whether what was taken off behind it can be nothing but politeness."""


def unwrapped(words: Sequence[str], set_off: Collection[int]) -> list[Inside]:
    """The widest first; none is empty. `set_off` are the words with a stop before them."""
    said = tuple(words)
    sure = _ends(said, set_off, may_run_on=False)
    ends = _ends(said, set_off, may_run_on=True)
    starts = _starts(said, set_off)
    parts = [Inside(start, end, end in sure) for start in starts for end in ends if start < end]
    return sorted(parts, key=lambda part: part.start - part.end)


def _starts(said: Wrapping, set_off: Collection[int]) -> set[int]:
    def beyond(place: int) -> Iterator[int]:
        for wrapping in (*BEFORE, *BEFORE_A_STOP):
            end = place + len(wrapping)
            is_one = wrapping not in BEFORE_A_STOP or end in set_off
            if is_one and said[place:end] == wrapping:
                yield end

    return _reached(0, beyond)


def _ends(said: Wrapping, set_off: Collection[int], *, may_run_on: bool) -> set[int]:
    def before(place: int) -> Iterator[int]:
        for wrapping in (*AFTER, *AFTER_A_STOP):
            start = place - len(wrapping)
            is_one = may_run_on or wrapping not in AFTER_A_STOP or start in set_off
            if start >= 0 and is_one and said[start:place] == wrapping:
                yield start

    return _reached(len(said), before)


def _reached(begin: int, further: Callable[[int], Iterator[int]]) -> set[int]:
    """Places that are so many layers away at most."""
    reached = frontier = {begin}
    for _ in range(MOST_LAYERS):
        frontier = {there for place in frontier for there in further(place)} - reached
        reached = reached | frontier
    return reached
