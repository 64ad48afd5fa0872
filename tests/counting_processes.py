"""Processes that count, as those of calls do, and what is left of them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agent.process_files import ProcessFiles

ROOT = Path(__file__).parent.parent

COUNTS = """
import sys
from agent.metrics import CALLS_ACTIVE, NOTEBOOK_WAITING, REPLY, STAGE, TURNS
turns = int(sys.argv[1])
TURNS.inc(turns)
CALLS_ACTIVE.inc()
NOTEBOOK_WAITING.inc(turns)
for _ in range(turns):
    REPLY.observe(0.5)
    STAGE.labels(stage="first_token").observe(0.125)
print("counted", flush=True)
for _ in sys.stdin:
    TURNS.inc()
    print("more", flush=True)
"""

AFTER_ALL = 4_194_304
"""No process of Linux has this id, or a higher one."""


class CountingProcess:
    """Has taken part in one call with so many turns; counts one more when it is told to."""

    def __init__(self, folder: Path, turns: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", COUNTS, str(turns)],
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> None:
        """Until it has counted."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline(), "it failed"

    def one_more(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("more\n")
        self.process.stdin.flush()
        self.wait()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        self.process.communicate()


@contextmanager
def counting(folder: Path, *turns: int) -> Iterator[Sequence[CountingProcess]]:
    """So many processes as there are numbers of turns; they have counted."""
    with ExitStack() as stack:
        processes = [CountingProcess(folder, number) for number in turns]
        for process in processes:
            stack.callback(process.end)
        for process in processes:
            process.wait()
        yield processes


def bury(folder: Path, source: Path, dead: int) -> None:
    """As many dead processes, each of which has counted what the files in `source` say."""
    for path in source.glob("*.db"):
        kind = path.stem.rpartition("_")[0]
        content = path.read_bytes()
        for number in range(dead):
            (folder / f"{kind}_{AFTER_ALL + number}.db").write_bytes(content)


def samples(text: bytes) -> dict[str, float]:
    """Every sample of June's by its name, with its labels as Prometheus writes them."""
    return {
        sample.name
        + ("{" + ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items())) + "}")
        * bool(sample.labels): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if sample.name.startswith("june_")
    }


def samples_of(files: ProcessFiles) -> dict[str, float]:
    return samples(generate_latest(files))
