"""The parts of the pages that need no browser: `node --test`."""

import subprocess
from pathlib import Path

from page.install import node

HERE = Path(__file__).parent


def test_units_in_javascript() -> None:
    files = sorted((HERE / "units").glob("*.mjs"))
    assert files, "tests/page/units holds none"
    done = subprocess.run(
        [node(), "--test", *files], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-2000:]}"
