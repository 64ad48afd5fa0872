"""June's Lua scripts: each runs in Redis as a whole, so that each intent is atomic."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "lua"


@dataclass(frozen=True)
class Script:
    source: str
    sha: str
    """Under which Redis knows it once it has seen it."""


def script(name: str, *parts: str) -> Script:
    """The file of this name, behind the functions of `parts` that it uses."""
    files = [FOLDER / "parts" / f"{part}.lua" for part in ("base", *parts)]
    source = "\n".join(
        file.read_text(encoding="utf-8") for file in (*files, FOLDER / f"{name}.lua")
    )
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())
