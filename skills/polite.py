"""What people wrap a request in: "June, could you please …, thanks"."""

from collections.abc import Sequence

from skills.words import words_of

BEFORE = tuple(
    tuple(words_of(said).plain.split())
    for said in (
        *("june", "hey june", "hey", "hi", "hello", "ok", "ok so", "so", "well", "now", "right"),
        *("just", "please", "and", "then", "oh", "actually", "all right", "great", "perfect"),
        *("thanks", "thank you", "sorry", "excuse me", "yes", "yeah", "sure", "listen", "look"),
        *("good morning", "good evening", "good afternoon", "hello there", "hi there", "maybe"),
        *("could you", "can you", "would you", "will you", "would you mind", "could you maybe"),
        *("can you please", "could you possibly", "would you be able to", "are you able to"),
        *("i would like you to", "i want you to", "i need you to", "i would love you to"),
        *("let us", "go ahead and", "do me a favor and", "be so kind and", "kindly", "quickly"),
        *("do you think you could", "i was wondering if you could", "i wonder if you could"),
        *("why do not you", "why don't you", "how about you", "is it possible to", "you could"),
        *("you can", "i think", "i guess", "if you can", "for me", "one more thing", "also"),
        *("would it be possible to", "is there any chance you could", "any chance you could"),
        *("no", "no june", "wait", "hang on", "hold on", "one second"),
    )
)
AFTER = tuple(
    tuple(words_of(said).plain.split())
    for said in (
        *("please", "thanks", "thank you", "thanks a lot", "thank you very much", "thank you june"),
        *("june", "now", "right now", "for me", "to me", "if you can", "if you could", "would you"),
        *("will you", "could you", "can you", "ok", "all right", "then", "if you do not mind"),
        *("if you don't mind", "if that is ok", "if possible", "if you please", "real quick"),
        *("quickly", "today", "thanks so much", "thank you so much", "again please", "cheers"),
        *("pretty please", "will ya", "dear", "my dear", "if you would", "when you can"),
    )
)
MOST_LAYERS = 4
"""On each side. Who asks more politely than that is understood by the model."""


def unwrapped(words: Sequence[str]) -> list[tuple[int, int]]:
    """The ranges of words that may be the request itself, the widest first; none is empty."""
    starts = _places(words, BEFORE, at_end=False)
    ends = _places(words, AFTER, at_end=True)
    ranges = [(start, end) for start in starts for end in ends if start < end]
    return sorted(ranges, key=lambda one: one[0] - one[1])


def _places(
    words: Sequence[str], wrappings: Sequence[tuple[str, ...]], *, at_end: bool
) -> list[int]:
    """How far each number of layers reaches, counted from the utterance's beginning."""
    said = tuple(words)
    whole = len(said) if at_end else 0
    reached = {whole}
    frontier = {whole}
    for _ in range(MOST_LAYERS):
        further = set()
        for place in frontier:
            for wrapping in wrappings:
                size = len(wrapping)
                if at_end and place - size >= 0 and said[place - size : place] == wrapping:
                    further.add(place - size)
                elif not at_end and said[place : place + size] == wrapping:
                    further.add(place + size)
        frontier = further - reached
        reached |= further
    return sorted(reached)
