"""What June can answer with no language model and no skill: a few questions, honestly.

Pure: a question and what was said before it go in; a sentence comes out.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """One earlier message, oldest first in a history."""

    by_user: bool
    text: str


@dataclass(frozen=True)
class Question:
    text: str
    earlier: Sequence[Said]
    """What was said before, not including the question."""


WHO = "I'm June, an AI assistant. I'm a computer program, not a person."
CONNECT = (
    "Put a key into the variable OpenAI API key, or the address of your own model into my "
    "settings, under L L M, and start me again. My read me file says how."
)
UNKNOWN = "I can't answer that, because I have no language model here. Ask me what I can do."
NOTHING_SAID = "You haven't said anything before this."
GREETING = "Hello. What can I do for you?"
THANKED = "You're welcome."
QUIET = "All right."
NOTHING_TO_REPEAT = "I haven't said anything yet."


def answer(question: Question) -> str:
    """A sentence or two, for the ear. The first kind of question that fits decides."""
    words = normalised(question.text)
    for pattern, reply in ANSWERS:
        if pattern.search(words):
            return reply(question)
    return UNKNOWN


def normalised(text: str) -> str:
    """Lower-case words with single spaces: speech recognition decides punctuation by chance."""
    plain = re.sub(r"[^a-z0-9']+", " ", text.lower().replace("\u2019", "'"))
    plain = re.sub(r"\b(what|who|how|it|that)'s\b", r"\1 is", plain)
    return plain.strip()


def _last_said(question: Question) -> str:
    mine = [said.text for said in question.earlier if said.by_user and said.text.strip()]
    return f"You said: {mine[-1]}" if mine else NOTHING_SAID


def _again(question: Question) -> str:
    hers = [said.text for said in question.earlier if not said.by_user and said.text.strip()]
    return hers[-1] if hers else NOTHING_TO_REPEAT


def _remember(question: Question) -> str:
    if any(said.by_user for said in question.earlier):
        return f"Yes. {_last_said(question)}"
    return "We haven't spoken before, as far as I know."


def _always(reply: str) -> Callable[[Question], str]:
    return lambda _: reply


# More particular questions stand first: "what can you say about the time" is not about the clock.
ANSWERS: tuple[tuple[re.Pattern[str], Callable[[Question], str]], ...] = tuple(
    (re.compile(pattern), reply)
    for pattern, reply in (
        (
            r"\b(connect|add|use|get|set ?up|plug in|attach)\b.*\b(model|brain|llm|open ?ai)\b",
            _always(CONNECT),
        ),
        (r"\bwhat (did|have) i (just |last )?(say|said|tell|told)\b", _last_said),
        (r"\b(repeat|say back) what i (just )?said\b", _last_said),
        (r"\bdo you (still )?(remember|know) me\b", _remember),
        (r"\b(what did you (just )?say|say (that|it) again|repeat (that|it))\b", _again),
        (r"\b(who|what) are you\b|\bwho is this\b|\byour name\b", _always(WHO)),
        (r"\bare you (a |an )?(real|human|person|robot|ai|machine|computer|bot)\b", _always(WHO)),
        (
            r"^(please )?(stop|wait|hold on|be quiet|never mind)( it| that| please)?$",
            _always(QUIET),
        ),
        (r"\b(thanks|thank you)\b", _always(THANKED)),
        (r"^(hello|hi|hey|good (morning|afternoon|evening))\b[a-z ']{0,12}$", _always(GREETING)),
    )
)
