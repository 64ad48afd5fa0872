"""The `livekit-server` program: found on this machine, else built once with Go."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from agent.errors import CannotStart
from agent.programs import last_lines, run_to_end

SOURCE = "github.com/livekit/livekit-server/cmd/server@v1.13.5"

ANOTHER_SERVER = (
    "hint: run `export LIVEKIT_SERVER_BIN=/path/to/livekit-server`, or "
    "`export LIVEKIT_URL=wss://…` for a server that already runs"
)


class NoServer(CannotStart):
    """No LiveKit server can be started on this machine."""


async def find_or_build(
    *, server_bin: Path | None, tools_dir: Path, progress: Callable[[str], None]
) -> Path:
    """The server to start: `server_bin`, else `livekit-server` on PATH, else one of June's own.

    June's own is in `tools_dir`. Where it is not, it is built, which takes minutes; `progress` is
    given a line about every ten seconds.

    Raises:
        NoServer: if there is none and none can be built.
    """
    if server_bin is not None:
        if not _is_program(server_bin):
            raise NoServer(
                f"`LIVEKIT_SERVER_BIN` is not a program (got `{server_bin}`)\n"
                "hint: run `unset LIVEKIT_SERVER_BIN`, and June finds or builds a server"
            )
        return server_bin
    if on_path := _on_path():
        return on_path
    built = tools_dir / "livekit-server"
    if not _is_program(built):
        await _build(built, progress)
    return built


def _on_path() -> Path | None:
    found = shutil.which("livekit-server")
    return Path(found).absolute() if found else None


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


async def _build(target: Path, progress: Callable[[str], None]) -> None:
    """Everything happens in a folder of its own, so that an interrupted build leaves nothing."""
    go = shutil.which("go")
    if go is None:
        raise NoServer(
            "no `livekit-server` on PATH, and no `go` to build one with\n"
            # Older ones do not fetch the Go that the server's source asks for.
            f"hint: install Go 1.21 or newer, then run `./june` again\n{ANOTHER_SERVER}"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    progress("building the LiveKit server, once; this takes about two minutes")
    with tempfile.TemporaryDirectory(prefix="livekit-build-", dir=target.parent) as folder:
        settings = [f"GOBIN={folder}", *await _go_folders(go, Path(folder))]
        # `-modcacherw`: what Go downloads can be deleted again.
        command = ["env", *settings, go, "install", "-modcacherw", SOURCE]
        output = Path(folder) / "output"
        code = await run_to_end(
            command,
            output,
            lambda gone: progress(f"building the LiveKit server, {gone:.0f} s gone"),
        )
        if code != 0:
            raise NoServer(
                f"could not build the LiveKit server (`go install {SOURCE}` ended with {code})\n"
                f"{last_lines(output)}\n"
                f"hint: check the network and run `./june` again\n{ANOTHER_SERVER}"
            )
        (Path(folder) / "server").replace(target)
    progress("the LiveKit server is built")


async def _go_folders(go: str, spare: Path) -> list[str]:
    """Go keeps its caches at home; where that is not possible, in the folder of this build."""
    asking = await asyncio.create_subprocess_exec(
        go,
        "env",
        "GOMODCACHE",
        "GOCACHE",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    answer, _ = await asking.communicate()
    folders = answer.decode().splitlines()
    if len(folders) == 2 and all(_can_write(Path(folder)) for folder in folders):
        return []
    return [f"GOPATH={spare / 'go'}", f"GOMODCACHE={spare / 'mod'}", f"GOCACHE={spare / 'cache'}"]


def _can_write(folder: Path) -> bool:
    """Whether the folder can be written, or made."""
    if not folder.is_absolute():  # Go says `off`, or nothing, where it knows no folder
        return False
    existing = next(parent for parent in [folder, *folder.parents] if parent.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
