"""The skills of a configuration: June's own, installed ones, and those of the operator's folder."""

import structlog

from agent.config import Config
from agent.errors import CannotStart
from skills.errors import SkillConflict
from skills.loading import load_skills
from skills.registry import Registry

log = structlog.get_logger(__name__)


def skills_of(config: Config) -> Registry:
    """Loaded. What cannot be imported is logged and left out; it may block for a moment.

    Raises:
        CannotStart: if two skills cannot be used together, or one is not there.
    """
    try:
        return load_skills(config.skills.enabled, config.skills_dir, _log_problem)
    except SkillConflict as error:
        raise CannotStart(str(error)) from None


def _log_problem(file: str, problem: BaseException | str) -> None:
    why = problem if isinstance(problem, str) else f"{type(problem).__name__}: {problem}"
    log.error("skill.not_loaded", file=file, error=why)
