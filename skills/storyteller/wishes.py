"""What a listener wants of a tale: on, again, from the beginning, or another one."""

from dataclasses import dataclass
from typing import Literal

from skills.answers import answer_in
from skills.phrases import Phrases
from skills.words import Words

_IT = "(it|that|this|the story|the tale|this story|that story)"
_PART = "(it|that|this|that part|this part|the last part|that bit|the last bit|what you said)"
_ONE = "(one|story|tale|fable|fairy tale)"

ON = Phrases(
    [
        "(go|carry|keep|read) on [with (it|the story|the tale)]",
        "(continue|proceed|resume) [with] [(it|the story|the tale|reading|telling)]",
        "keep (going|telling|reading|talking)",
        "(and|and what|then what|and then what|what next|what now|what then) [next]",
        "(more|next|and then|so then|and so|next part|next piece|the next part|the next piece)",
        "[and] [then] what (happens|happened|came|comes|did he do|did she do|did they do) "
        "[next|then|after that|now|in the end]",
        "[and] [so] how does it (go on|end|continue)",
        "(tell|read) me (more|the rest|the next part|what happens|what happened) [next|then]",
        "(tell|read) (more|the rest)",
        "(i would like to|i want to) (hear|know) (more|the rest|what happens|how it ends) [next]",
        "i am (listening|still listening|all ears|here|still here|ready)",
        "(don't|do not) stop [there|now|here]",
        "(do go on|finish the story|finish it|let me hear more|let us hear more|where were we)",
        "(good|great|nice|lovely|wonderful) (go on|continue|and then|carry on|more)",
    ]
)
AGAIN = Phrases(
    [
        f"(say|tell|read) [me] {_PART} (again|once more|one more time)",
        f"repeat [{_PART}] [again|once more|one more time]",
        "(again|once again|once more|one more time|pardon|sorry|what|what what)",
        "(come again|pardon me|i beg your pardon|beg your pardon|excuse me|say again)",
        "[sorry] what (did you say|was that|did you just say)",
        "i (didn't|did not|couldn't|could not) (catch|hear|get|understand|follow) "
        "[you|that|it|this|that part|the last part|what you said]",
        f"(could i|can i|let me) hear {_PART} again",
        "(i missed|i have missed) (that|it|that part|the last part)",
    ]
)
ANEW = Phrases(
    [
        f"(start|begin) [{_IT}] (over|again|anew|over again) [please]",
        f"[start|begin|go|tell {_IT}|read {_IT}|again|once more|take it] [back] "
        "(from|to|at) the (beginning|start|top|very beginning)",
        f"(restart|rewind) [{_IT}]",
        "(tell|read) [me] (the story|the tale|the whole story|the whole thing|this story) "
        "(again|once more|over)",
        "start over [from the beginning|again]",
    ]
)
OTHER = Phrases(
    [
        f"(tell|read|give|do) [me|us] (another|a different|a new|the next|a|one more) {_ONE}"
        " [about {topic}]",
        f"(another|a different|different|a new|new|next|the next|one more|some other) {_ONE}"
        " [about {topic}]",
        f"(how about|what about) (another|a different|a new) {_ONE}",
        f"(i would like|i want|i would love|i would prefer) [to hear] (another|a different|a new) "
        f"{_ONE} [about {{topic}}]",
        "(tell|read) me (something|one) (else|about {topic})",
        "(another|something else|something different|one more|a different one about {topic})",
        "i (know|knew|heard|have heard|remember) (this|that) (one|story|tale) [already|before]",
        "i (know|have heard) it already",
        "not (this|that) (one|story|tale) [again]",
        "i (don't|do not|didn't|did not) like (it|this|that|this one|that one|this story)",
        f"(skip|change|switch) (this|the|to another|to a different) {_ONE}",
        "(do you know|do you have|have you got) (another|any other|any more|more|other) "
        "(one|ones|story|stories|tale|tales)",
        "more stories",
    ],
    slots={"topic": str},
)

Kind = Literal["on", "again", "anew", "other", "yes", "no", "unclear"]

_BY_PHRASE: tuple[tuple[Kind, Phrases], ...] = (
    ("other", OTHER),
    ("anew", ANEW),
    ("again", AGAIN),
    ("on", ON),
)


@dataclass(frozen=True)
class Wish:
    """What the whole utterance asks for; `yes` and `no` answer whatever was asked."""

    kind: Kind
    topic: str = ""


def wish_in(words: Words) -> Wish:
    """The one that shares most words with the utterance."""
    found = [(kind, match) for kind, phrases in _BY_PHRASE if (match := phrases.match(words))]
    if found:
        kind, match = max(found, key=lambda one: one[1].literal_words)
        return Wish(kind, str(match.slots.get("topic") or ""))
    return Wish(answer_in(words))
