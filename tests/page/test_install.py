"""How the tests get their browser's driver, and what they say where something is missing."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from page import install


def test_the_lock_names_hashes_and_no_addresses() -> None:
    """From which registry the packages come is the machine's own affair."""
    lock = json.loads((install.HERE / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    wanted = json.loads((install.HERE / "package.json").read_text())["dependencies"]
    assert {f"node_modules/{name}" for name in wanted} == set(packages)
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name


@pytest.mark.parametrize(
    ("needed", "program", "hint"),
    [
        (install.chromium, "chromium", "apt install chromium"),
        (install.node, "node", "apt install nodejs npm"),
        (install.packages, "npm", "apt install npm"),
    ],
)
def test_what_is_missing_is_said(
    needed: Callable[[], object],
    program: str,
    hint: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(install, "TOOLS", tmp_path)
    with pytest.raises(pytest.fail.Exception, match=f"`{program}` is not.*\n.*{hint}"):
        needed()


def test_a_node_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Debian 12 has Node 18."""
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v18.20.4\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.fail.Exception, match=r"Node 20 or newer .*v18\.20\.4"):
        install.node()
