"""Which skills cannot be used together, found at the start and not when a caller is confused."""

from collections.abc import Iterable

from skills.errors import SkillConflict
from skills.phrases import Phrases
from skills.skill import Skill
from skills.triggers import Target, all_of

JUNES_OWN = ("leave_skill", "answer_question")
"""Tools that June herself gives the model."""

JUNES_OWN_BEGINNING = "begin_"
"""Of the names of the tools by which the model begins a mode."""


def check_names(skills: Iterable[Skill]) -> None:
    """No two skills are called the same, and nothing in them is.

    Raises:
        SkillConflict: names both, with their files.
    """
    names: dict[str, Skill] = {}
    owners: dict[str, Skill] = {}
    for skill in skills:
        if (other := names.setdefault(skill.name, skill)) is not skill:
            raise SkillConflict(
                f"two skills are called `{skill.name}`: {other.file} and {skill.file}\n"
                "hint: rename one of the files"
            )
        for target in all_of(skill):
            if target.name in JUNES_OWN or target.name.startswith(JUNES_OWN_BEGINNING):
                raise SkillConflict(
                    f"the skill `{skill.name}` ({skill.file}) has a `{target.name}`, which is a "
                    "name for tools of June's own\nhint: rename it in the file"
                )
            if target.name in owners:
                raise SkillConflict(
                    f"{_both(owners[target.name], skill)} an ability or a mode called "
                    f"`{target.name}`\nhint: {_rename(skill)}"
                )
            owners[target.name] = skill


def check_phrases(spoken: Iterable[tuple[Skill, Target, Phrases]]) -> None:
    """Nothing that a caller can say means two things.

    Raises:
        SkillConflict: names both, with their files.
    """
    owners: dict[str, Skill] = {}
    for skill, _target, phrases in spoken:
        wordings = sorted(phrases.expansions())
        for wording in wordings:
            if wording in owners:
                raise SkillConflict(
                    f'{_both(owners[wording], skill)} the phrase "{wording}"\n'
                    f"hint: {_rename(skill)}"
                )
        owners.update(dict.fromkeys(wordings, skill))


def _both(first: Skill, second: Skill) -> str:
    if first is second:
        return f"the skill `{first.name}` ({first.file}) has twice"
    return f"the skills `{first.name}` ({first.file}) and `{second.name}` ({second.file}) both have"


def _rename(skill: Skill) -> str:
    return f"change it in one of the files, or leave `{skill.name}` out of `[skills] enabled`"
