"""The one door for all skills: June's own, those of installed packages, and a folder of files."""

import difflib
import importlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from skills.collecting import skill_of_module
from skills.errors import SkillConflict
from skills.importing import IMPORT_SECONDS, import_file, in_time
from skills.registry import Registry
from skills.skill import Skill

__all__ = ["BUILT_IN", "ENTRY_POINTS", "load_skills", "skill_of_module"]

BUILT_IN = (
    "clock",
    "timers",
    "notes",
    "storyteller",
    "translator",
    "mockingbird",
    "help",
    "end_call",
)

ENTRY_POINTS = "june.skills"
"""The group in which a package names its modules, each by the name of the skill."""

ALL = "*"

OnProblem = Callable[[str, BaseException | str], None]


@dataclass(frozen=True)
class _Candidate:
    """A skill that is there, as far as is known without importing it."""

    name: str
    file: str
    load: Callable[[], ModuleType]


def load_skills(
    enabled: Sequence[str],
    folder: Path | None,
    on_problem: OnProblem,
    *,
    import_seconds: float = IMPORT_SECONDS,
) -> Registry:
    """All skills that are enabled, by name or all with `*`.

    What cannot be used is left out, and `on_problem` is given its file and what is wrong. What is
    not enabled is not imported.

    Raises:
        SkillConflict: if two cannot be told apart, or a name is none of any skill.
    """
    found = [*_built_in(), *_installed(), *_in_folder(folder, on_problem)]
    _check_known(enabled, found)
    skills: list[Skill] = []
    for candidate in found:
        if ALL not in enabled and candidate.name not in enabled:
            continue
        outcome = in_time(partial(_loaded, candidate), import_seconds)
        if outcome.value is None:
            on_problem(candidate.file, outcome.error or "?")
        else:
            skills.append(outcome.value)
    return Registry(skills)


def _loaded(candidate: _Candidate) -> Skill:
    return skill_of_module(candidate.load(), candidate.name)


def _built_in() -> Iterator[_Candidate]:
    for name in BUILT_IN:
        module = f"skills.{name}"
        spec = importlib.util.find_spec(module)
        file = module if spec is None else spec.origin or module
        yield _Candidate(name, file, partial(importlib.import_module, module))


def _installed() -> Iterator[_Candidate]:
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        package = point.dist.name if point.dist is not None else "?"
        file = f"{point.value}, of the package {package}"
        yield _Candidate(point.name, file, partial(_module_of, point))


def _module_of(point: EntryPoint) -> ModuleType:
    module = point.load()
    if not isinstance(module, ModuleType):
        raise TypeError(f"the entry point `{point.name}` must name a module")
    return module


def _in_folder(folder: Path | None, on_problem: OnProblem) -> Iterator[_Candidate]:
    if folder is None:
        return
    try:
        files = sorted(folder.iterdir())
    except OSError as error:
        on_problem(str(folder), error)
        return
    for file in files:
        # An editor's own files begin with a dot.
        if file.suffix == ".py" and not file.name.startswith(("_", ".")):
            yield _Candidate(file.stem, str(file), partial(import_file, file))


def _check_known(enabled: Iterable[str], found: Iterable[_Candidate]) -> None:
    names = sorted({candidate.name for candidate in found})
    for name in enabled:
        if name in {ALL, *names}:
            continue
        close = difflib.get_close_matches(name, names)
        meant = f"did you mean {' or '.join(f'`{match}`' for match in close)}? " if close else ""
        raise SkillConflict(
            f"no skill is called `{name}`, as `[skills] enabled` says\n"
            f"hint: {meant}there are {', '.join(f'`{known}`' for known in names)}"
        )
