"""What the log has of a skill that fails: where, and never with which words.

The text of an error may hold what a caller said, so it is not written.
"""

import traceback
from collections.abc import Iterable
from pathlib import Path

import structlog

from skills.skill import Skill

Place = tuple[str, int]
"""A file and a line in it."""

log = structlog.get_logger(__name__)


def log_failed(skill: Skill, error: BaseException) -> None:
    """Something that is no `SkillError` came out of it."""
    if isinstance(error.__cause__, StopIteration):
        error = error.__cause__  # which no coroutine can raise: Python made another error of it
    places = (
        (frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)
    )
    file, line = _last_within(skill, places)
    log.error(
        "skill.failed", skill=skill.name, file=file, line=line, error=type(error).__qualname__
    )


def log_late(skill: Skill) -> None:
    """It took longer than it may."""
    log.error("skill.failed", skill=skill.name, file=skill.file, error="TimeoutError")


def log_blocked(skill: Skill, places: Iterable[Place]) -> None:
    """It does not end; `places` are where its thread is, the innermost last."""
    file, line = _last_within(skill, places)
    log.error("skill.blocked", skill=skill.name, file=file, line=line)


def _last_within(skill: Skill, places: Iterable[Place]) -> tuple[str, int | None]:
    """The innermost line of the skill's own; without one only its file is known."""
    own = Path(skill.file)
    folder = own.parent if own.name == "__init__.py" else None
    found: tuple[str, int | None] = (skill.file, None)
    for file, line in places:
        if file == skill.file or (folder is not None and Path(file).is_relative_to(folder)):
            found = (file, line)
    return found
