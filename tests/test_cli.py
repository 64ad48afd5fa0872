"""The command line: what people hear when something is wrong, and nothing heavy before that."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SERVER = {
    "LIVEKIT_URL": "ws://127.0.0.1:9",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "a-secret-of-thirty-two-characters!",
}


def june(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as `./june` does, with this environment and no other."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "agent", *words],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_teaches(tmp_path: Path) -> None:
    """Each command in a line."""
    done = june("--help", folder=tmp_path)
    assert done.returncode == 0
    for word in ("start", "test", "--config"):
        assert word in done.stdout


@pytest.mark.parametrize("words", [("strat",), ("start", "--confg", "x")])
def test_a_typing_mistake_is_answered_with_the_right_word(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Exit code 2, no traceback."""
    done = june(*words, folder=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "start" in done.stderr or "--config" in done.stderr


def test_wrong_settings_are_all_named(tmp_path: Path) -> None:
    """In the file and in the environment, with a hint."""
    (tmp_path / "agent.toml").write_text("[worker]\nmax_cals = 3\n")
    done = june("start", folder=tmp_path, JUNE_WORKER__MAX_CALLS="many", **SERVER)
    assert done.returncode == 2
    assert "max_calls" in done.stderr
    assert "many" in done.stderr
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_without_a_server_says_how_to_have_one(tmp_path: Path) -> None:
    """By name of what is missing."""
    done = june("start", folder=tmp_path)
    assert done.returncode == 2
    assert "`LIVEKIT_URL`, `LIVEKIT_API_KEY`, `LIVEKIT_API_SECRET` are not set" in done.stderr
    assert "hint: run `./june`" in done.stderr


def test_a_store_in_memory_is_refused_by_the_worker(tmp_path: Path) -> None:
    """Each call is a process of its own and would forget the others."""
    done = june("start", folder=tmp_path, JUNE_STORE__URL="memory:", **SERVER)
    assert done.returncode == 2
    assert "memory:" in done.stderr
    assert "hint:" in done.stderr


def test_a_store_that_cannot_be_used_ends_the_start_in_words(tmp_path: Path) -> None:
    """And leaves the file as it is."""
    store = tmp_path / "june.db"
    store.write_bytes(b"not a database " * 400)
    done = june("start", folder=tmp_path, JUNE_STORE__URL=f"sqlite:{store}", **SERVER)
    assert done.returncode == 2
    assert "is not a SQLite database" in done.stderr
    assert "Traceback" not in done.stderr
    assert store.read_bytes() == b"not a database " * 400


def test_no_server_and_nothing_to_build_one_with_is_said(tmp_path: Path) -> None:
    """Exit code 2 and what to do."""
    done = june(folder=tmp_path, LIVEKIT_SERVER_BIN=str(tmp_path / "none"))
    assert done.returncode == 2
    assert "LIVEKIT_SERVER_BIN" in done.stderr
    assert "hint:" in done.stderr


def test_nothing_heavy_is_imported_for_help() -> None:
    """`--help` and a wrong setting are answered at once."""
    script = (
        "import sys, agent.__main__\n"
        "heavy = {'livekit', 'numpy', 'onnxruntime', 'piper', 'aiohttp'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
