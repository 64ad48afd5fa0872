"""What June can do, as she says it herself; made from the skills that are there."""

import difflib
from collections.abc import Sequence

from skills.ability import ability
from skills.as_said import as_said
from skills.ports import Ports
from skills.skill import Skill

HELP = "say what I can do"

NOT_TOLD = ("help", "end_call")
"""Nobody asks for these by name."""

MOST_TOLD = 8
"""More than that nobody keeps in mind."""


@ability(
    phrases=[
        "what (can|could) (you|i) (do|do for me|help me with|help with|say|ask|ask you|ask for)",
        "what else (can|could) (you|i) (do|ask|say|do for me|ask you)",
        "what (else|all) can you do",
        "what (things|kinds of things|kind of things|sort of things) (can|could) (you|i) "
        "(do|ask|ask you|say|ask for|do here)",
        "what (are you able to|are you capable of|do you know how to) [do|doing]",
        "what do you do",
        "what do you (know|offer|have to offer)",
        "what are (your|the|my) (skills|abilities|features|functions|options|commands)",
        "(list|tell me|show me|give me) [all] [of] your (skills|abilities|features|commands)",
        "tell me what (you can do|you do|i can do|i can ask|i can say|you are able to do|you know)",
        "how does (this|it|that) work",
        "how can you help [me]",
        "how (do|can) i use you",
        "help",
        "help me",
        "i need help",
        "i need [some] help",
        "help me out",
        "help me with {about}",
        "help (with|about|on) {about}",
        "how (do|can) i use {about}",
        "what can you do with {about}",
        "how (do|does) [the|your] {about} work",
    ]
)
async def what_can_you_do(ports: Ports, about: str = "") -> str:
    """Say what you can do, or how one of your skills is used (`about`)."""
    if about:
        return _of_one(ports.skills, about)
    known = [skill.help for skill in ports.skills if skill.name not in NOT_TOLD and skill.help]
    told = known[:MOST_TOLD]
    can = f"I can {_listed(told)}." if told else "I can talk with you."
    if len(known) > MOST_TOLD:
        can += " And more: ask me how to use one of them."
    if not ports.has_model:
        return f"{can} For anything else I need a language model."
    return f"{can} What would you like?"


def _of_one(skills: Sequence[Skill], about: str) -> str:
    wanted = about.casefold().removeprefix("the ").removeprefix("your ")
    names = {name: skill for skill in skills for name in (skill.name.casefold(), skill.help)}
    close = difflib.get_close_matches(wanted, names, n=1, cutoff=0.7)
    inside = [name for name in names if wanted.rstrip("s") in name]
    if not (found := [*close, *inside]):
        return f"I have no skill for that. {_all_names(skills)}"
    skill = names[found[0]]
    patterns = [
        *(phrase for one in skill.abilities for phrase in one.phrases[:1]),
        *(phrase for mode in skill.modes for phrase in mode.triggers[:2]),
    ]
    examples = [as_said(pattern) for pattern in patterns[:2]]
    if not examples:
        return f"I can {skill.help}. Just ask me for it."
    return f"I can {skill.help}. Say, for example: {', or: '.join(examples)}."


def _all_names(skills: Sequence[Skill]) -> str:
    told = [skill.help for skill in skills if skill.name not in NOT_TOLD][:MOST_TOLD]
    return f"I can {_listed(told)}." if told else ""


def _listed(parts: Sequence[str]) -> str:
    """As people say a list."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])}, and {parts[-1]}"
