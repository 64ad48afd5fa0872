"""The files of processes: whatever becomes of a process, what it counted is counted once."""

import os
import struct
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from counting_processes import AFTER_ALL, bury, counting, samples_of
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from structlog.testing import capture_logs

from agent.process_files import FILE_BYTES, ProcessFiles


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a process leaves behind that has counted two turns."""
    folder = tmp_path_factory.mktemp("template")
    with counting(folder, 2):
        pass
    return folder


def kinds(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_all_processes_count_is_summed(tmp_path: Path) -> None:
    """Of those that live, and of those that have ended or were killed."""
    with counting(tmp_path, 1, 2, 4) as (lives, ends, is_killed):
        files = ProcessFiles([tmp_path])
        before = samples_of(files)
        assert before["june_turns_total"] == 7
        assert before["june_calls_active"] == 3
        assert before["june_reply_seconds_count"] == 7
        ends.end()
        is_killed.kill()
        after = samples_of(files)
        lives.one_more()
        assert samples_of(files)["june_turns_total"] == 8
    gauges = {"june_calls_active", "june_notebook_waiting"}
    assert {name: value for name, value in after.items() if name not in gauges} == {
        name: value for name, value in before.items() if name not in gauges
    }
    assert after["june_calls_active"] == 1, "a call whose process was killed is not active"
    assert after["june_notebook_waiting"] == 1


def test_the_files_of_the_dead_become_one_of_each_kind(tmp_path: Path) -> None:
    """Also when they die one after the other; the files of the living are let be."""
    files = ProcessFiles([tmp_path])
    for turns in (1, 2):
        with counting(tmp_path, turns):
            pass
        files.merge_dead()
        assert kinds(tmp_path) == ["counter_0.db", "histogram_0.db"]
    with counting(tmp_path, 4) as (lives,):
        pid = lives.process.pid
        own = [path for path in tmp_path.iterdir() if f"_{pid}." in path.name]
        before = [(path, path.stat().st_ino, path.read_bytes()) for path in own]
        files.merge_dead()
        assert [(path, path.stat().st_ino, path.read_bytes()) for path in own] == before
        assert samples_of(files)["june_turns_total"] == 7
    assert samples_of(files)["june_reply_seconds_bucket{le=0.5}"] == 7


def test_after_a_thousand_calls_nothing_is_left_to_read(tmp_path: Path, template: Path) -> None:
    """Three files each, of which none stays; the totals are those of a plain collector."""
    bury(tmp_path, template, 1_000)
    assert len(kinds(tmp_path)) == 3_000
    registry = CollectorRegistry()
    collector: Any = MultiProcessCollector
    collector(registry, path=str(tmp_path))
    began = time.perf_counter()
    generate_latest(registry)
    unmerged = time.perf_counter()
    files = ProcessFiles([tmp_path])
    files.merge_dead()
    merged = time.perf_counter()
    found = samples_of(files)
    print(
        f"\n1000 dead calls: a scrape took {1000 * (unmerged - began):.0f} ms before, "
        f"merging {1000 * (merged - unmerged):.0f} ms, a scrape "
        f"{1000 * (time.perf_counter() - merged):.1f} ms after"
    )
    assert kinds(tmp_path) == ["counter_0.db", "histogram_0.db"]
    assert found["june_turns_total"] == 2_000
    assert found["june_reply_seconds_sum"] == 1_000
    assert found["june_reply_seconds_bucket{le=+Inf}"] == 2_000
    assert "june_calls_active" not in found


def test_two_folders_are_one_worker(tmp_path: Path, template: Path) -> None:
    """The worker's own, and the one of its calls, which LiveKit makes and empties."""
    own, calls = tmp_path, tmp_path / "calls"
    files = ProcessFiles([own, calls])
    bury(own, template, 1)
    assert samples_of(files)["june_turns_total"] == 2, "LiveKit has not made it yet"
    calls.mkdir()
    bury(calls, template, 3)
    assert samples_of(files)["june_turns_total"] == 8
    assert list(calls.iterdir()) == []
    assert kinds(own) == ["calls", "counter_0.db", "histogram_0.db"]


BROKEN = {
    "empty": b"",
    "three bytes": b"\x08\x00\x00",
    "just begun": bytes(FILE_BYTES),
    "says more than it holds": struct.pack("i", 5_000) + bytes(60),
    "a length out of bounds": struct.pack("iiii", 200, 0, 9_999, 0) + bytes(300),
    "no text": struct.pack("iii", 48, 0, 12) + b"\xff" * 12 + bytes(40),
    "no JSON": struct.pack("iii", 48, 0, 12) + b"hello, world" + bytes(40),
    "JSON that is no metric": struct.pack("iii", 48, 0, 12) + b'["a","b",{}]' + bytes(40),
    "a name that is none": struct.pack("iii", 64, 0, 28)
    + b'["a b","a_total",{},"about"]'
    + bytes(40),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("is_dead", [True, False], ids=["of a dead process", "of a living one"])
def test_a_file_that_cannot_be_read_costs_no_scrape(
    content: bytes, *, is_dead: bool, tmp_path: Path, template: Path
) -> None:
    """It is passed over, told of once at most, and one of the dead is removed."""
    bury(tmp_path, template, 1)
    broken = tmp_path / f"counter_{AFTER_ALL + 1 if is_dead else os.getpid()}.db"
    broken.write_bytes(content)
    files = ProcessFiles([tmp_path])
    with capture_logs() as logs:
        for _ in range(3):
            assert samples_of(files)["june_turns_total"] == 2
    assert len(logs) <= 1
    assert broken.exists() is not is_dead


@pytest.mark.parametrize(
    "name", ["other.db", "counter_.db", "counter_1x.db", "gauge_1.db", "-1.db"]
)
def test_a_foreign_file_is_let_be(name: str, tmp_path: Path, template: Path) -> None:
    """Told of once."""
    bury(tmp_path, template, 1)
    (tmp_path / name).write_bytes(b"mine")
    files = ProcessFiles([tmp_path])
    with capture_logs() as logs:
        for _ in range(3):
            assert samples_of(files)["june_turns_total"] == 2
    assert [entry["file"] for entry in logs] == [name]
    assert (tmp_path / name).read_bytes() == b"mine"


def test_what_cannot_be_merged_is_read_all_the_same(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full; nothing is lost or counted twice when there is room again."""
    bury(tmp_path, template, 3)
    files = ProcessFiles([tmp_path])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(os, "posix_fallocate", full)
        assert samples_of(files)["june_turns_total"] == 6
        assert samples_of(files)["june_turns_total"] == 6
    assert [entry["event"] for entry in logs] == ["metrics.not_merged"]
    assert samples_of(files)["june_turns_total"] == 6
    assert kinds(tmp_path) == ["counter_0.db", "histogram_0.db"]


def test_scrapes_and_merges_do_not_disturb_each_other(tmp_path: Path, template: Path) -> None:
    """While calls go on and die, no scrape sees less than the one before, or anything twice."""
    files = ProcessFiles([tmp_path])
    is_over = threading.Event()
    faults: list[BaseException] = []

    def look() -> None:
        seen = 0.0
        try:
            while not is_over.is_set():
                now = samples_of(files).get("june_turns_total", 0.0)
                assert seen <= now <= 2 * 60 + 20, (seen, now)
                seen = now
                files.merge_dead()
        except BaseException as error:  # noqa: BLE001  whatever it is, the test fails by it
            faults.append(error)

    looking = [threading.Thread(target=look) for _ in range(3)]
    with counting(tmp_path, 0) as (lives,):
        for thread in looking:
            thread.start()
        for number in range(60):
            _bury_whole(tmp_path, template, number)
            if number % 3 == 0:
                lives.one_more()
        is_over.set()
        for thread in looking:
            thread.join()
    assert faults == []
    assert samples_of(files)["june_turns_total"] == 2 * 60 + 20


def _bury_whole(folder: Path, template: Path, number: int) -> None:
    """Files that are there at once, as those of a process that has just died are."""
    for path in template.glob("*.db"):
        unseen = folder / "unseen"
        unseen.write_bytes(path.read_bytes())
        unseen.rename(folder / f"{path.stem.rpartition('_')[0]}_{AFTER_ALL + number}.db")


def test_more_than_one_page_of_keys_is_merged(tmp_path: Path) -> None:
    """A file grows as its process counts more kinds of things."""
    with counting(tmp_path, 1) as (process,):
        pid = process.process.pid
    counted = tmp_path / f"counter_{pid}.db"
    content = bytearray(counted.read_bytes()[: struct.unpack("i", counted.read_bytes()[:4])[0]])
    for number in range(2_000):
        key = f'["june_turns", "june_turns_total", {{"n": "{number:05}"}}, "about"]'.encode()
        padded = key + b" " * (8 - (len(key) + 4) % 8)
        content += struct.pack(f"i{len(padded)}sdd", len(key), padded, 1.0, 0.0)
    content[:4] = struct.pack("i", len(content))
    counted.write_bytes(content)
    files = ProcessFiles([tmp_path])
    assert samples_of(files)["june_turns_total{n=01999}"] == 1
    assert samples_of(files)["june_turns_total{n=00000}"] == 1
    assert kinds(tmp_path) == ["counter_0.db", "histogram_0.db"]
