"""The files in which processes count: one of each kind for each process, also after its end.

`prometheus_client` never gives up those of the dead. Each call is a process, so after a thousand
calls a scrape would read three thousand files, and gauges would still count the first of them.
"""

import json
import os
import re
import struct
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from agent.metrics_folder import is_alive

log = structlog.get_logger(__name__)

# Neither is typed, and the first is hardly public: the tests are what says that it still fits.
File: Any = MmapedDict
Collector: Any = MultiProcessCollector

NAME = re.compile(r"(?P<kind>counter|histogram|summary|gauge_[a-z]+)_(?P<pid>\d+)\.db")

OF_THE_DEAD = 0
"""Stands for all processes that are gone; no process has this id."""

FILE_BYTES = 1 << 16
"""At least; what is written in it needs less than twice its keys beyond that."""

UNREADABLE = (OSError, RuntimeError, ValueError, TypeError, LookupError, struct.error)
"""What `prometheus_client` raises for a file that is not, or not yet, what it should be."""


@dataclass(frozen=True)
class Counted:
    """What one process has counted of one kind."""

    path: Path
    kind: str
    pid: int


class ProcessFiles:
    """What all processes have counted, for Prometheus. Its methods may be called in any thread.

    The sums of dead processes are kept in the first folder; their gauges are of no interest.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._lock = threading.Lock()
        self._said: set[tuple[str, str]] = set()
        self._has_failed = False

    def collect(self) -> Iterable[Metric]:
        """Those of living processes, and the sums of all others."""
        with self._lock:
            self._merge_dead()
            return self._merged([counted.path for counted in self._found()])

    def merge_dead(self) -> None:
        """Let the files of dead processes become one of each kind."""
        with self._lock:
            self._merge_dead()

    def _found(self) -> list[Counted]:
        found = []
        for path in [path for folder in self._folders for path in folder.glob("*.db")]:
            if (name := NAME.fullmatch(path.name)) is None:
                self._say_unreadable(path.name, "it is none of June's")
            else:
                found.append(Counted(path, name["kind"], int(name["pid"])))
        return found

    def _merge_dead(self) -> None:
        found = self._found()
        living = {pid for pid in {counted.pid for counted in found} if is_alive(pid)}
        living.add(OF_THE_DEAD)
        dead: dict[str, list[Path]] = {}
        for counted in found:
            if counted.pid not in living:
                dead.setdefault(counted.kind, []).append(counted.path)
        try:
            for kind, paths in dead.items():
                if not kind.startswith("gauge"):
                    self._add_up(kind, paths)
                for path in paths:
                    path.unlink(missing_ok=True)
        except OSError as error:
            if not self._has_failed:
                log.warning("metrics.not_merged", error=type(error).__name__)
            self._has_failed = True

    def _add_up(self, kind: str, paths: Sequence[Path]) -> None:
        """In a file the buckets of a histogram are not cumulative: all kinds are just added."""
        sums = self._folders[0] / f"{kind}_{OF_THE_DEAD}.db"
        totals: dict[str, float] = {}
        for path in [sums, *paths] if sums.exists() else paths:
            for key, value in self._values(path) or ():
                totals[key] = totals.get(key, 0.0) + value
        new = sums.with_suffix(".new")
        with new.open("wb") as file:
            # Written in place without that, it would be the end of this process on a full disk.
            os.posix_fallocate(file.fileno(), 0, FILE_BYTES + 2 * sum(map(len, totals)))
        written = File(str(new))
        for key, total in totals.items():
            written.write_value(key, total, 0.0)
        written.close()
        new.replace(sums)

    def _merged(self, paths: Sequence[Path]) -> Iterable[Metric]:
        try:
            return _metrics_of(paths)
        except UNREADABLE:
            return _metrics_of([path for path in paths if self._values(path) is not None])

    def _values(self, path: Path) -> list[tuple[str, float]] | None:
        """By key; None for a file that cannot be read."""
        try:
            read = File.read_all_values_from_file(str(path))
            values = [(key, value) for key, value, *_ in read]
        except (FileNotFoundError, struct.error):
            return None  # LiveKit has emptied its folder, or its process is just beginning it
        except UNREADABLE as error:
            self._say_unreadable(path.name, type(error).__name__)
            return None
        if not all(_is_metric(key) for key, _ in values):
            self._say_unreadable(path.name, "it holds no metrics")
            return None
        return values

    def _say_unreadable(self, file: str, why: str) -> None:
        """Once: it is looked at every few seconds."""
        if (file, why) not in self._said:
            self._said.add((file, why))
            log.warning("metrics.unreadable", file=file, why=why)


def _metrics_of(paths: Sequence[Path]) -> list[Metric]:
    return list(Collector.merge([str(path) for path in paths]))


@lru_cache(maxsize=4_096)
def _is_metric(key: str) -> bool:
    try:
        metric, sample, labels, about = json.loads(key)
        Metric(metric, about, "unknown")
    except (ValueError, TypeError):
        return False
    return isinstance(sample, str) and isinstance(labels, dict)
