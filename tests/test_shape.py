"""The shape of the code, as `shared/design.md` states it."""

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

MAY_IMPORT = {
    "skills": {"skills"},
    "session": {"session", "skills"},
    "agent": {"agent", "session", "skills"},
    "bench": {"bench", "agent", "session", "skills"},
}

DRIVERS = ("apsw", "redis", "sqlite3")

HTTP = ("fastapi", "starlette", "uvicorn")

KNOWS_ITS_DRIVER = {"apsw": "session/store/sqlite/", "redis": "session/store/redis/"}

MAY_READ_ENVIRONMENT = {"agent/config.py", "session/compat.py"}

ENVIRONMENT = {"environ", "environb", "getenv", "getenvb"}

LONGEST_MODULE = 300
LONGEST_MEDIAN = 120

PACKAGES = [package for package in MAY_IMPORT if (ROOT / package).is_dir()]


def modules(package: str) -> list[str]:
    return sorted(
        str(path.relative_to(ROOT))
        for path in (ROOT / package).rglob("*.py")
        if "__pycache__" not in path.parts
    )


EVERY_MODULE = [module for package in PACKAGES for module in modules(package)]


def parsed(module: str) -> ast.Module:
    return ast.parse((ROOT / module).read_text(encoding="utf-8"))


def lines(module: str) -> int:
    return len((ROOT / module).read_text(encoding="utf-8").splitlines())


def imported(module: str) -> Iterator[str]:
    """The top-level names that a module imports, wherever it does."""
    package = Path(module).parts[0]
    for node in ast.walk(parsed(module)):
        match node:
            case ast.Import(names=names):
                yield from (name.name.partition(".")[0] for name in names)
            case ast.ImportFrom(level=0, module=str(name)):
                yield name.partition(".")[0]
            case ast.ImportFrom():
                yield package


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_only_point_inwards(package: str) -> None:
    """`agent` knows `session`, `session` knows `skills`, and none knows who uses it."""
    for module in modules(package):
        outwards = set(imported(module)) & (set(MAY_IMPORT) - MAY_IMPORT[package])
        assert not outwards, f"`{module}` imports {outwards}"


def test_livekit_is_known_in_agent_only() -> None:
    """So that the memory and the skills are tested, and used, without sound."""
    for module in EVERY_MODULE:
        if not module.startswith(("agent/", "bench/")):
            assert "livekit" not in imported(module), f"`{module}` imports `livekit`"


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_database_driver_is_known_in_its_store_only(driver: str) -> None:
    """Everything else speaks to the `Store` protocol; June's SQLite is `apsw`, never Python's."""
    store = KNOWS_ITS_DRIVER.get(driver, "nowhere/")
    for module in EVERY_MODULE:
        known = driver in set(imported(module))
        assert not known or module.startswith(store), f"`{module}` imports `{driver}`"


@pytest.mark.parametrize("framework", HTTP)
def test_http_is_known_in_its_own_folder_only(framework: str) -> None:
    """It is a way in, and no call and no command needs it."""
    for module in EVERY_MODULE:
        known = framework in set(imported(module))
        assert not known or module.startswith("agent/api/"), f"`{module}` imports `{framework}`"


def test_only_the_worker_serves_http() -> None:
    """Its parent process; each call is a process of its own, and must not carry it along."""
    for module in EVERY_MODULE:
        if module == "agent/worker.py" or module.startswith("agent/api/"):
            continue
        for node in ast.walk(parsed(module)):
            match node:
                case ast.ImportFrom(module=str(name)):
                    names = [name, *(f"{name}.{one.name}" for one in node.names)]
                case ast.Import():
                    names = [one.name for one in node.names]
                case _:
                    continue
            assert not any(f"{one}.".startswith("agent.api.") for one in names), module


@pytest.mark.parametrize("module", ["agent.job", "agent.preloaded", "agent.__main__"])
def test_what_calls_and_commands_load_has_no_http_in_it(module: str) -> None:
    """Not by whatever they import, either: it is memory for each call."""
    loaded = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not set(HTTP) & set(done.stdout.split())


@pytest.mark.parametrize("module", [m for m in EVERY_MODULE if m not in MAY_READ_ENVIRONMENT])
def test_the_environment_is_read_in_one_place(module: str) -> None:
    """The configuration is passed in; a variable read elsewhere is one that nobody documents."""
    for node in ast.walk(parsed(module)):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr=name) if name in ENVIRONMENT:
                pytest.fail(f"`{module}`, line {node.lineno}: `os.{name}`")
            case ast.ImportFrom(module="os", names=names):
                read = ENVIRONMENT & {name.name for name in names}
                assert not read, f"`{module}`, line {node.lineno}: `from os import {read}`"


@pytest.mark.parametrize("module", EVERY_MODULE)
def test_every_module_says_what_it_is_about(module: str) -> None:
    """In a docstring of its own."""
    assert ast.get_docstring(parsed(module)), f"`{module}` has no docstring"


@pytest.mark.parametrize("module", EVERY_MODULE)
def test_no_module_is_long(module: str) -> None:
    """One idea fits in 300 lines."""
    assert lines(module) <= LONGEST_MODULE, f"`{module}` has {lines(module)} lines"


def test_most_modules_are_short() -> None:
    """The median is under 120 lines."""
    assert statistics.median(map(lines, EVERY_MODULE)) < LONGEST_MEDIAN
