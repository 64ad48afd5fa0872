"""The folder in which the processes of one worker count: its own, and gone when it is."""

import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from counting_processes import AFTER_ALL, ROOT

from agent import metrics_folder
from agent.config import METRICS_FOLDER, ConfigError, counting_together
from agent.config import metrics_folder as folder_in_use
from agent.metrics_folder import CALLS, own_folder, parts_of


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Where such folders are made; nothing stays there."""
    monkeypatch.delenv(METRICS_FOLDER, raising=False)
    monkeypatch.setattr(metrics_folder, "MEMORY", tmp_path)
    yield tmp_path
    assert list(tmp_path.glob("june-metrics-*")) == []


def left_behind(place: Path, *, process: int = AFTER_ALL, seconds_ago: float = 120) -> Path:
    """By a worker that was killed, with what one process has counted."""
    folder = place / "june-metrics-old"
    (folder / CALLS).mkdir(parents=True)
    (folder / "counter_0.db").write_bytes(b"")
    (folder / CALLS / f"gauge_livesum_{process}.db").write_bytes(b"")
    (folder / "of nobody's.db").write_bytes(b"")
    os.utime(folder, (time.time() - seconds_ago,) * 2)
    return folder


def test_it_is_private_empty_and_removed(place: Path) -> None:
    """Also with what is in it by then."""
    with own_folder() as folder:
        assert folder.parent == place
        assert list(folder.iterdir()) == []
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / CALLS).mkdir()
        (folder / CALLS / "counter_1.db").write_bytes(b"")
    assert not folder.exists()


def test_a_file_that_comes_as_it_is_removed_goes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was just being started begins to count."""
    removed, left = shutil.rmtree, [3]

    def interrupted(folder: Path, *, ignore_errors: bool) -> None:
        left[0] -= 1
        if left[0] == 0:
            removed(folder, ignore_errors=ignore_errors)

    with own_folder() as folder:
        monkeypatch.setattr(shutil, "rmtree", interrupted)
    assert not folder.exists()


def test_two_workers_have_one_each() -> None:
    """LiveKit empties the folder when it starts: what is another's would be lost."""
    with own_folder() as ours, own_folder() as theirs:
        assert ours != theirs


def test_without_shared_memory_it_is_a_temporary_folder(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Systems differ."""
    monkeypatch.setattr(metrics_folder, "MEMORY", Path("/nowhere"))
    monkeypatch.setattr("tempfile.tempdir", str(place))
    with own_folder() as folder:
        assert folder.parent == place


def test_what_a_killed_worker_left_is_removed(place: Path) -> None:
    """Nobody else ever would."""
    old = left_behind(place)
    with own_folder():
        assert not old.exists()


def test_what_a_call_still_counts_in_is_let_be(place: Path) -> None:
    """It may outlive its worker."""
    old = left_behind(place, process=os.getpid())
    with own_folder():
        assert old.exists()
    shutil.rmtree(old)


def test_what_may_just_be_being_made_is_let_be(place: Path) -> None:
    """Another worker starts at the same moment, and has not locked it yet."""
    old = left_behind(place, seconds_ago=5)
    with own_folder():
        assert old.exists()
    shutil.rmtree(old)


def test_what_a_living_worker_has_is_let_be() -> None:
    """However long nobody has called it."""
    with own_folder() as folder:
        os.utime(folder, (0, 0))
        with own_folder():
            assert folder.exists()


def test_a_link_is_not_followed(place: Path) -> None:
    """Anybody may make one where all users may write."""
    theirs = place / "theirs"
    theirs.mkdir()
    link = place / "june-metrics-link"
    link.symlink_to(theirs)
    os.utime(link, (0, 0), follow_symlinks=False)
    os.utime(theirs, (0, 0))
    with own_folder():
        assert theirs.exists()
    link.unlink()


def test_the_parts_of_worker_and_calls_are_known_at_any_time(tmp_path: Path) -> None:
    """LiveKit's server changes the variable to the part of the calls."""
    own, calls = parts_of(tmp_path)
    assert (own, calls) == (tmp_path, tmp_path / CALLS)
    assert parts_of(calls) == (own, calls)


def test_a_worker_makes_its_folder_known(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """By the variable that `prometheus_client` and the processes of calls look at."""
    monkeypatch.setenv(METRICS_FOLDER, "")
    with counting_together():
        folder = folder_in_use()
        assert folder is not None
        assert folder.parent == place
        assert folder.is_dir()
    assert not folder.exists()


def test_the_operators_folder_is_used_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is made if need be, and it stays, with all that is in it."""
    named = tmp_path / "some" / "where"
    monkeypatch.setenv(METRICS_FOLDER, str(named))
    for _ in range(2):
        with counting_together():
            assert folder_in_use() == named
            (named / "mine").touch()
    assert (named / "mine").exists()


def test_an_operators_folder_that_is_none_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Instead of a traceback from the first metric."""
    (tmp_path / "file").touch()
    monkeypatch.setenv(METRICS_FOLDER, str(tmp_path / "file"))
    with (
        pytest.raises(ConfigError, match="`PROMETHEUS_MULTIPROC_DIR`") as raised,
        counting_together(),
    ):
        pass
    assert "cannot be a folder" in str(raised.value)


def test_nothing_counts_before_the_folder_is_known() -> None:
    """At its first import `prometheus_client` decides whether it counts for others to see."""
    program = (
        "import sys, agent.__main__; "
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('prometheus_client', 'livekit', 'opentelemetry')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


FORKING = """
import os, shutil
from agent.config import counting_together, metrics_folder

with counting_together():
    from agent.counting import begin_counting
    from agent.metrics import CALLS, REPLY, STAGE

    CALLS.inc()
    folder = metrics_folder()
    shutil.rmtree(folder)
    if (child := os.fork()) == 0:
        begin_counting()
        shutil.rmtree(folder)
        CALLS.inc()
        REPLY.observe(1)
        STAGE.labels(stage="first_token").observe(1)
        folder.mkdir()
        (folder / "counted").touch()
        os._exit(0)
    print(os.waitpid(child, 0)[1], [path.name for path in folder.iterdir()])
"""


def test_a_folder_that_is_removed_meanwhile_costs_no_call() -> None:
    """A system cleans up after a user who logs out, and knows nothing of who still works."""
    done = subprocess.run(
        [sys.executable, "-c", FORKING], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "0 ['counted']\n", done.stderr


LIVEKIT = """
import asyncio, os
from pathlib import Path
from agent.config import counting_together, metrics_folder


async def answer(ctx):
    pass


async def run():
    from agent.exposition import Exposition, folder_of_calls
    from agent.metrics import REPLY, TURNS
    from livekit.agents import AgentServer
    from session import SessionConfig, open_sessions

    server = AgentServer(
        ws_url="ws://127.0.0.1:1", api_key="key", api_secret="s" * 32, host="127.0.0.1", port=0,
        num_idle_processes=0, prometheus_multiproc_dir=folder_of_calls(),
    )
    server.rtc_session(answer)
    started = asyncio.Event()
    server.on("worker_started", started.set)
    TURNS.inc(3)
    memory = SessionConfig(Path("unused"), store_url="memory:")
    async with open_sessions(memory) as sessions, Exposition(sessions) as exposition:
        running = asyncio.create_task(server.run(unregistered=True))
        await asyncio.wait_for(started.wait(), 30)
        TURNS.inc(2)
        REPLY.observe(1)
        text = (await exposition.text()).decode().splitlines()
        await server.aclose()
        await running
    counted = ("june_turns_total", "june_reply_seconds_count")
    for line in sorted(line for line in text if line.startswith(counted)):
        print(line)
    print(metrics_folder().name)


with counting_together():
    asyncio.run(run())
"""


def test_what_the_worker_counts_outlives_livekits_start(tmp_path: Path) -> None:
    """LiveKit removes all files of the folder that it is told of, also those that are in use."""
    (tmp_path / "main.py").write_text(LIVEKIT)
    done = subprocess.run(
        [sys.executable, "main.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "june_reply_seconds_count 1.0",
        "june_turns_total 5.0",
        "calls",
    ]
