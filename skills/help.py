"""What June can do, as she says it herself; made from the skills that are there."""

import difflib
import re
from collections.abc import Sequence
from typing import Annotated

from skills.ability import ability
from skills.as_said import EXAMPLES, as_said
from skills.ports import Ports
from skills.skill import Skill
from skills.slots import Saying
from skills.words import words_of

HELP = "say what I can do"

NOT_TOLD = ("help", "end_call")
"""Nobody asks for these by name."""

MOST_TOLD = 8
"""More than that nobody keeps in mind."""

LONGEST_ABOUT_CHARACTERS = 60

_SLOT = re.compile(r"\{(\w+)\}")

_ASK = "(do|do for me|help me with|help with|say|ask|ask you|ask for|ask you for|ask you to do)"
_SKILLS = "(skills|abilities|features|functions|options|commands|capabilities)"

About = Annotated[
    str,
    Saying(
        r"^(?:(?:use|set|start|make|take|write|add|keep|get|hear|begin|leave|stop|cancel|delete"
        r"|read|tell|end) )?(?:(?:a|an|the|my|your|some) )?(?:(?:timer|alarm|reminder|note|story"
        r"|clock|storyteller|translator|translation)s?|stories|translate|the time|.+ skill)$"
    ),
]
"""Only what may be a skill: who asks how a car works asks for no help with June."""


@ability(
    phrases=[
        f"what [else|all] (can|could) (you|i|june) {_ASK}",
        "what else is there",
        "what (things|kinds of things|kind of things|sort of things|sorts of things) (can|could) "
        "(you|i) (do|ask|ask you|say|ask for|do here)",
        "what (else|other things) (can|do) you (do|know)",
        "what [else] (are you able to|are you capable of|do you know how to) [do|doing]",
        "what do you (do|know|offer|have to offer)",
        f"what are (your|the|my) {_SKILLS}",
        f"(what|which) {_SKILLS} (do you have|have you got|are there)",
        f"(list|tell me|show me|give me|tell me about|what about) [all] [of] your {_SKILLS}",
        "tell me what (you can do|you do|i can do|i can ask|i can say|you are able to do|you know)",
        "tell me what i can (ask you|do here|say to you|do with you)",
        "how does (this|it|that) work",
        "how can you help [me]",
        "how (do|can) i (use you|talk to you)",
        "[i need] [some] (help|assistance)",
        "help me [out]",
        "help [me] (with|about|on) {about}",
        "how (do|can) i {about}",
        "what (can you do|do i do) with {about}",
        "how (do|does) {about} work",
        "(tell me|explain) [more] about {about}",
    ],
    heard_as=["i meet help"],
)
async def what_can_you_do(ports: Ports, about: About = "") -> str:
    """Say what you can do, or how one of your skills is used (`about`)."""
    told = [skill.help for skill in ports.skills if _is_told(skill)]
    can = f"I can {_listed(told[:MOST_TOLD])}." if told else "I can talk with you."
    if any(map(str.isalnum, about)):
        skill = _meant(ports.skills, about)
        return f"I have no skill for that. {can}" if skill is None else _of_one(skill)
    if len(told) > MOST_TOLD:
        can += " And more: ask me how to use one of them."
    if not ports.has_model:
        return f"{can} For anything else I need a language model."
    return f"{can} What would you like?"


def _is_told(skill: Skill) -> bool:
    return skill.name not in NOT_TOLD and bool(skill.help)


def _meant(skills: Sequence[Skill], about: str) -> Skill | None:
    """By a word of its name, of what it is for, or of what it does."""
    if len(about) > LONGEST_ABOUT_CHARACTERS:
        return None
    wanted = words_of(about).plain.removesuffix(" skill").split()
    by_word = {word: skill for skill in reversed(skills) for word in _words_about(skill)}
    for word in reversed(wanted):
        if found := difflib.get_close_matches(_singular(word), by_word, n=1, cutoff=0.9):
            return by_word[found[0]]
    return None


def _words_about(skill: Skill) -> list[str]:
    abilities, modes = [one.name for one in skill.abilities], [one.name for one in skill.modes]
    said = " ".join((skill.name, skill.help, *abilities, *modes)).replace("_", " ")
    # Shorter ones say nothing: "set" and "end" are among many skills' words.
    return [_singular(word) for word in words_of(said).plain.split() if len(word) > 3]


def _singular(word: str) -> str:
    return f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s")


def _of_one(skill: Skill) -> str:
    spoken = [one.phrases for one in skill.abilities] + [one.triggers for one in skill.modes]
    firsts = [patterns[0] for patterns in spoken if patterns]
    others = [pattern for patterns in spoken for pattern in patterns[1:]]
    # A slot whose name says nothing of what to say in it makes no example.
    shown = [one for one in (*firsts, *others) if set(_SLOT.findall(one)) <= EXAMPLES.keys()]
    examples = [as_said(pattern) for pattern in shown[:2]]
    can = f"I can {skill.help or skill.name}."
    if not examples:
        return f"{can} Just ask me for it."
    return f"{can} Say, for example: {', or: '.join(examples)}."


def _listed(parts: Sequence[str]) -> str:
    """As people say a list."""
    if len(parts) < 3:
        return " and ".join(parts)
    return f"{', '.join(parts[:-1])}, and {parts[-1]}"
