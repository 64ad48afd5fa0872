"""Does the caller want to leave a mode? Whole utterances only: the bus stop is a stop too."""

from collections.abc import Sequence
from functools import lru_cache

from skills.phrases import Phrases
from skills.words import Words

_LEAVE = "(exit|quit|stop|cancel|leave|end|disable|deactivate|close|abort|terminate|turn off)"
_THIS = "(it|this|that|[the|this|that|your] (mode|skill|story|storyteller|translator|translation))"
_NAMED = "(story|storyteller|translator|translation|mockingbird|interpreter)"
_NORMAL = "[the] (normal|regular)"

STOPPING = Phrases(
    [
        f"{_LEAVE} [{_THIS}] [here|already]",
        f"{_LEAVE} [the|your|this] {_NAMED} (mode|skill)",
        f"{_LEAVE} [the] (storyteller|translator|mockingbird)",
        "(exit|quit|stop|leave|end|close) [the|this|that] game",
        "(no stop|no exit please|stop please stop|stop ok|stop no)",
        "stop [stop|it] stop [stop]",
        "(stop|cancel) (there|right there|right here|talking|everything|all that|all of that|now)",
        "stop (pretending|playing|doing that|doing this|this thing|that thing)",
        "stop telling [me] (stories|the story|this story|that story|that|this)",
        "(turn|switch) (it|this|that|yourself) off",
        "(turn|switch) (the|this|that) (skill|mode|thing) off",
        "switch off [it|this|that]",
        "(disable|turn off|switch off|exit|leave) [the|this|that] thing",
        "switch off [the|this|that] (skill|mode)",
    ],
    heard_as=[
        "(this able|the sable|disabled) (skill|skull|still)",
        "disable (skull|still|stone)",
        "(turned|turning) off",
        "step",
    ],
)
GOING_BACK = Phrases(
    [
        "[go|get|come|switch|return|change|take me|bring me] back [to] "
        f"{_NORMAL} [conversation|mode|conversation mode|chat|talk]",
        "[go|get|switch|return|change|resume] [to|into] "
        f"{_NORMAL} (conversation|mode|conversation mode|chat|talk|talking)",
        "(return|resume) [to] normal",
        "[go|get|come|switch|take me] back to (june|you|talking normally|just talking|talking)",
        "[be|act|talk|speak] [to me] (normal|normally) [again]",
        "[just] (be normal|talk normally|talk to me normally|talk to june)",
        "[stop|quit] (talking|speaking|sounding) like me",
        "(use|go back to|back to) your (normal|own|usual|regular|real) voice [again]",
    ],
    heard_as=["back to (norno|nornoil|your mill|your middle)", "that to normal", "nor no mode"],
)
HAVING_ENOUGH = Phrases(
    [
        "[that is|that was|this is] [quite|really|more than] enough "
        "[of that|of this|already|for now|for today|for me|stories|thank you]",
        "i have [had|heard] enough [of (this|that|it)]",
        "i had enough [of (this|that|it)]",
        "[i am|we are] [all] (done|finished|through) [with (this|that|it|the story|the skill)] "
        "[here|for now|for today]",
        "no more [of this|of that|of it|for now|for today|stories|thank you]",
        "(never mind|forget it|forget about it|skip it|drop it|leave it|that will do)",
        "i (don't|do not) want (this|that|it|any|anymore) [anymore|any longer]",
        "i (don't|do not) want to (do this|do that|go on|continue|play|hear it|hear this"
        "|hear any|do it|listen) [anymore|any longer]",
        "(stop|quit|end|finish) [this|that|it] (here|now|there) [for now|for today]",
        "finish [for] (today|now)",
        "(get me|let me|i want|take me) out [of (this|here|that|this mode|it)]",
        "get out [of (this|here|this mode|the mode|this skill|the skill|it)]",
        "that is (all|it) [for now|for today|i need|i needed|i wanted]",
        "that will be all [for now|for today]",
        "i am good [now]",
        "(i quit|i give up|i am tired of this|i would rather stop|i would like out)",
        "(i am done listening|shut up|cut it out)",
    ],
    heard_as=["that is enough thames"],
)


def is_exit(words: Words, further: Sequence[str] = ()) -> bool:
    """Whether all of it asks to go back to normal; `further` are phrases of the mode's."""
    own = (_read(tuple(further)),) if further else ()
    everybodys = (STOPPING, GOING_BACK, HAVING_ENOUGH)
    return any(phrases.match(words) is not None for phrases in (*everybodys, *own))


@lru_cache(maxsize=64)
def _read(patterns: tuple[str, ...]) -> Phrases:
    return Phrases(patterns)
