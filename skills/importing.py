"""Imports code that June did not write: in a thread of its own, for so long and no longer."""

import importlib.util
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from skills.thread import Outcome, end_soon

IMPORT_SECONDS = 5.0

PRIVATE = "june_skill_"
"""Before the name of a file's module, so that `random.py` takes nobody's `random` away."""

T = TypeVar("T")


def in_time(work: Callable[[], T], seconds: float) -> Outcome[T]:
    """What came of `work`; after `seconds` a `TimeoutError`, and its thread is given up."""
    outcomes: list[Outcome[T]] = []

    def attempt() -> None:
        try:
            outcomes.append(Outcome(value=work()))
        except BaseException as error:  # noqa: BLE001 - `SystemExit` would be lost in a thread
            outcomes.append(Outcome(error=error))

    thread = threading.Thread(target=attempt, name="june.import", daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcomes:
        end_soon(thread)
        return Outcome(error=TimeoutError(f"its import takes longer than {seconds:g} s"))
    return outcomes[0]


def import_file(path: Path) -> ModuleType:
    """A file as a module of a private name, without a look at `sys.path`.

    Raises:
        BaseException: whatever its code raises.
    """
    name = PRIVATE + path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("Python cannot import it")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pydantic look their own module up.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module
