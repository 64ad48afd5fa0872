"""Does the caller want to leave a mode? Whole utterances only: the bus stop is a stop too."""

from collections.abc import Sequence
from functools import lru_cache

from skills.phrases import Phrases
from skills.words import Words

_THING = "(mode|skill|story|game|this|that|it|the mode|the skill|this mode|this skill|that mode)"

EXITS = Phrases(
    [
        f"(exit|quit|stop|cancel|leave|end|finish|disable|deactivate|close) [{_THING}]",
        "(disable|turn off|switch off|deactivate|exit|leave) [the|this|that] (skill|mode|thing)",
        "turn [it|this|that] off",
        "turn off [it|this|that]",
        "(stop|cancel) (it|this|that|there|here|talking|everything|all that|all of that|already)",
        "stop stop",
        "stop stop stop",
        "stop ok",
        "[go|get|come|switch|return|let us go|i want to go|can we go|could we go|take me] back "
        "[to] [the] (normal|regular|usual) [conversation|mode|conversation mode|talk]",
        "[go|switch|return|change] [to|into] [the] (normal|regular) [conversation] "
        "(mode|conversation|talk)",
        "[go|get|come|switch|return|take me|i want to go|can we go|could we go|let us go] back to "
        "(june|you|talking normally|the start|before|normal)",
        "[be] normal [again|mode]",
        "just be normal",
        "[that is|that was|this is] enough [of that|of this|already|for now|for today]",
        "(i have|i had) [had] enough [of (this|that|it)]",
        "[i am|we are] (done|finished|through) [with (this|that|it|the story|the skill)] "
        "[here|for now|for today]",
        "i am all done",
        "no more [of this|of that|please|for now]",
        "(never mind|forget it|forget about it|skip it|drop it)",
        "i (don't|do not) want (this|that|it|to do this|to do that|to go on|to continue) "
        "[anymore|any longer]",
        "(i would like|i want|i need) to (stop|quit|exit|leave|get out) [this|that|it|now|here]",
        "(let us|we can|you can|you may|can we|could we|we should) (stop|quit|end) "
        "[this|that|it|here|now|there]",
        "(get me|let me|i want|take me) out [of (this|here|that|this mode|it)]",
        "get out of this [mode]",
        "that is (all|it) [for now|for today|i need|i wanted]",
        "that will be all",
        "i am good [now]",
        "stop (pretending|playing|doing that|doing this|please)",
    ]
)


def is_exit(words: Words, further: Sequence[str] = ()) -> bool:
    """Whether all of it asks to go back to normal; `further` are phrases of the mode's."""
    if EXITS.match(words) is not None:
        return True
    return bool(further) and _read(tuple(further)).match(words) is not None


@lru_cache(maxsize=64)
def _read(patterns: tuple[str, ...]) -> Phrases:
    return Phrases(patterns)
