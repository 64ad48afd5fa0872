"""The folder in which all processes of one worker count what Prometheus asks for.

Two workers must never share one: LiveKit empties it when it starts.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CALLS = "calls"
"""The part of it that is LiveKit's, which empties what it is told of: what the parent has counted
until then, and the files that it goes on counting in, must stay."""

PREFIX = "june-metrics-"

MEMORY = Path("/dev/shm")  # noqa: S108  `mkdtemp` makes a folder there that is this user's only
"""Where files are written in place and the disk is full, the system kills who writes."""

MADE_SECONDS = 60.0
"""One that is not older may just be being made."""

TRIES = 20
PAUSE_SECONDS = 0.05
"""To remove it: a process that begins as the worker ends may put a file into it meanwhile."""


@contextmanager
def own_folder() -> Iterator[Path]:
    """A new one, private to this user, and removed at the end.

    What workers that were killed have left behind goes first.
    """
    place = MEMORY if os.access(MEMORY, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
    _sweep(place)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    try:
        with _locked(folder):
            yield folder
    finally:
        _remove(folder)


def parts_of(folder: Path) -> tuple[Path, Path]:
    """The worker's own part, and that of its calls. `folder` is where this process counts."""
    # Once its server runs LiveKit says to whatever is started that the folder is that of calls.
    own = folder.parent if folder.name == CALLS else folder
    return own, own / CALLS


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Raises `BlockingIOError` where another process has it; a dead one has nothing."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)


def _sweep(place: Path) -> None:
    for folder in place.glob(f"{PREFIX}*"):
        try:
            if folder.stat(follow_symlinks=False).st_uid != os.getuid() or _is_used(folder):
                continue
            with _locked(folder):
                _remove(folder)
        except OSError:
            continue  # it is used, or gone


def _remove(folder: Path) -> None:
    for _ in range(TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(PAUSE_SECONDS)


def _is_used(folder: Path) -> bool:
    """Whether it is new, or somebody counts in it: a call may outlive a worker that was killed."""
    if time.time() - folder.stat().st_mtime < MADE_SECONDS:
        return True
    processes = {path.stem.rpartition("_")[2] for path in folder.glob("**/*.db")}
    # 0 stands for all those that are gone.
    return any(is_alive(int(one)) for one in processes - {"0"} if one.isdecimal())


def is_alive(process: int) -> bool:
    """Whether there is a process of this id."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
