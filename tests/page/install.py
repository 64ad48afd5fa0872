"""What drives a browser: Node, Chromium, and two packages of npm, installed once into `.tools`."""

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent

TOOLS = HERE.parent.parent / ".tools"

LOCKED = ("package.json", "package-lock.json", ".npmrc")

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")

OLDEST_NODE = 20
"""What `playwright-core` asks for."""

INSTALL_SECONDS = 180


@dataclass(frozen=True)
class Driver:
    node: str
    chromium: str
    packages: Path
    """The folder that holds `node_modules`."""


def driver() -> Driver:
    return Driver(node(), chromium(), packages())


def chromium() -> str:
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is None:
        pytest.fail(
            "`chromium` is not installed, which opens June's pages\nhint: apt install chromium"
        )
    return found


def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.fail(
            "`node` is not installed, which drives the browser\nhint: apt install nodejs npm"
        )
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.match(r"v(\d+)", said)
    if version is None or int(version[1]) < OLDEST_NODE:
        pytest.fail(
            f"tests of pages need Node {OLDEST_NODE} or newer (`{found}` is {said.strip()})\n"
            "hint: put a newer `node` first on the PATH"
        )
    return found


def packages() -> Path:
    """By the lock's hashes; its scripts do not run, and no browser is downloaded."""
    locked = b"".join((HERE / name).read_bytes() for name in LOCKED)
    folder = TOOLS / f"page-tests-{hashlib.sha256(locked).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("`npm` is not installed, which brings the tests' driver\nhint: apt install npm")
    new = TOOLS / f"{folder.name}.{os.getpid()}"
    new.mkdir(parents=True)
    try:
        for name in LOCKED:
            shutil.copy(HERE / name, new)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(
            command, cwd=new, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
        if done.returncode != 0:
            pytest.fail(f"`npm ci` in tests/page failed:\n{done.stderr[-2000:]}")
        if not folder.is_dir():
            new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return folder
