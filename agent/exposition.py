"""What Prometheus is told: all that June's processes have counted, and what the store knows."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from prometheus_client import REGISTRY, Metric, generate_latest

import agent.metrics  # noqa: F401  what is declared is told of, also before it happens
from agent import background
from agent.config import metrics_folder
from agent.metrics_folder import parts_of
from agent.process_files import ProcessFiles
from agent.store_figures import store_figures
from session import SessionService

MERGE_SECONDS = 10.0


class Exposition:
    """Lives as long as the worker, and is there before LiveKit's server runs.

    `folder`: where the processes count, if not where this one does.
    """

    def __init__(self, sessions: SessionService, *, folder: Path | None = None) -> None:
        self._sessions = sessions
        folder = folder or metrics_folder()
        self._files = ProcessFiles(parts_of(folder)) if folder else None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._files is not None:
            self._task = background.begin(self._merge_for_ever(self._files), "june.metrics")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await background.end(self._task)

    async def text(self) -> bytes:
        """All processes' metrics, in Prometheus' text format; without a folder this one's."""
        figures = await store_figures(self._sessions)
        return await asyncio.to_thread(self._written, figures)

    def _written(self, figures: Sequence[Metric]) -> bytes:
        counted = REGISTRY.collect() if self._files is None else self._files.collect()
        return generate_latest(_Collected([*counted, *figures]))

    @staticmethod
    async def _merge_for_ever(files: ProcessFiles) -> None:
        while True:
            await asyncio.sleep(MERGE_SECONDS)
            await asyncio.to_thread(files.merge_dead)


class _Collected:
    """As `prometheus_client` wants what it writes."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def folder_of_calls() -> str | None:
    """For `AgentServer(prometheus_multiproc_dir=…)`; to be asked before the server runs."""
    folder = metrics_folder()
    return str(parts_of(folder)[1]) if folder else None
