"""Finding the LiveKit server, or building it: with scripts in place of `go` and of the server."""

import asyncio
import os
from pathlib import Path

import pytest

from agent.livekit_binary import SOURCE, NoServer, find_or_build

GO_THAT_BUILDS = """#!/bin/sh
if [ "$1" = env ]; then echo "$HOME/mod"; echo "$HOME/cache"; exit; fi
echo "$@" >"$GOBIN/../asked"
echo "$GOMODCACHE" >"$GOBIN/../modules"
echo '#!/bin/sh' >"$GOBIN/server"
chmod +x "$GOBIN/server"
"""


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


class Machine:
    """Where June looks for a server, and what she tells while building one."""

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "bin"
        self.tools = folder / "tools"
        self.told: list[str] = []

    async def find(self, server_bin: Path | None = None) -> Path:
        return await find_or_build(
            server_bin=server_bin, tools_dir=self.tools, progress=self.told.append
        )

    def left_by_builds(self) -> list[str]:
        return sorted(path.name for path in self.tools.iterdir())


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """One with a home, the system's programs, and neither Go nor a LiveKit server."""
    machine = Machine(tmp_path)
    (tmp_path / "home").mkdir()
    machine.programs.mkdir()
    for name in ("env", "sh", "chmod", "sleep"):
        (machine.programs / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(machine.programs))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return machine


async def test_the_named_server_wins(machine: Machine, tmp_path: Path) -> None:
    """Over one on PATH."""
    program(machine.programs / "livekit-server")
    named = program(tmp_path / "mine")
    assert await machine.find(named) == named


async def test_a_named_server_that_is_no_program_is_said(machine: Machine, tmp_path: Path) -> None:
    """Rather than quietly using another one."""
    with pytest.raises(NoServer, match="`LIVEKIT_SERVER_BIN` is not a program") as raised:
        await machine.find(tmp_path)
    assert f"(got `{tmp_path}`)\nhint: run `unset " in str(raised.value)


async def test_a_server_on_path_wins_over_one_built_before(machine: Machine) -> None:
    """The operator installed it on purpose."""
    on_path = program(machine.programs / "livekit-server")
    program(machine.tools / "livekit-server")
    assert await machine.find() == on_path


async def test_a_server_is_built_once(machine: Machine) -> None:
    """The version that June is tested with, told while it lasts, and found the next time."""
    program(machine.programs / "go", GO_THAT_BUILDS)
    built = await machine.find()
    assert os.access(built, os.X_OK)
    assert machine.left_by_builds() == ["asked", "livekit-server", "modules"]
    assert (machine.tools / "asked").read_text() == f"install -modcacherw {SOURCE}\n"
    assert (machine.tools / "modules").read_text() == "\n"
    assert [line.split(",")[0] for line in machine.told] == [
        "building the LiveKit server",
        "the LiveKit server is built",
    ]

    program(machine.programs / "go", "#!/bin/sh\nexit 9\n")
    assert await machine.find() == built


async def test_without_a_home_go_keeps_its_caches_in_the_build(machine: Machine) -> None:
    """Go says `off` where it knows no place for them."""
    program(machine.programs / "go", GO_THAT_BUILDS.replace('"$HOME/mod"', "off"))
    await machine.find()
    modules = Path((machine.tools / "modules").read_text().strip())
    assert modules.parent.parent == machine.tools
    assert modules.parent.name not in machine.left_by_builds()


async def test_a_build_that_fails_says_why_and_leaves_nothing(machine: Machine) -> None:
    """Go's last words, and what else can be done."""
    program(machine.programs / "go", "#!/bin/sh\necho no route to host >&2\nexit 3\n")
    with pytest.raises(NoServer, match="no route to host") as raised:
        await machine.find()
    assert "ended with 3)" in str(raised.value)
    assert "\nhint: run `export LIVEKIT_SERVER_BIN=" in str(raised.value)
    assert machine.left_by_builds() == []


async def test_without_go_it_is_said_how_to_get_a_server(machine: Machine) -> None:
    """By building one, naming one, or using one that runs."""
    with pytest.raises(NoServer) as raised:
        await machine.find()
    for way in ("install Go", "LIVEKIT_SERVER_BIN", "LIVEKIT_URL"):
        assert way in str(raised.value)


async def test_an_interrupted_build_leaves_nothing(machine: Machine, tmp_path: Path) -> None:
    """No file, and no process: the pipe that Go's children hold is closed."""
    os.mkfifo(tmp_path / "pipe")
    program(
        machine.programs / "go",
        f'#!/bin/sh\n[ "$1" = env ] && exit\nexec >{tmp_path}/pipe\necho building\nsleep 1000\n',
    )
    building = asyncio.create_task(machine.find())
    pipe = await asyncio.to_thread((tmp_path / "pipe").open)
    assert await asyncio.to_thread(pipe.readline) == "building\n"

    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building

    assert await asyncio.to_thread(pipe.read) == ""
    pipe.close()
    assert machine.left_by_builds() == []
