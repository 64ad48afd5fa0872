"""`./june test`: everything that a reviewer, or CI, will check."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent

CODE = ("agent", "bench", "session", "skills", "tests")

IN_PARALLEL = ("-n", "auto", "--maxprocesses", "4", "--dist", "worksteal")
"""For units, which mostly compute; calls in rooms and browsers need the machine for themselves."""


def run_checks(*, everything: bool, pytest_arguments: Sequence[str]) -> int:
    """Style, types, then tests; the exit code of the first that fails.

    With words for pytest (`./june test tests/test_brain.py -k time`) only those tests run.
    """
    ordinary = "" if everything else " and not slow"
    checks = [
        ["ruff", "check", *CODE],
        ["ruff", "format", "--check", *CODE],
        ["mypy", *CODE],
        ["pytest", *IN_PARALLEL, "-m", f"not room{ordinary}"],
        ["pytest", "-m", f"room and not page{ordinary}"],
        ["pytest", "tests/page", "-m", f"page{ordinary}"],
    ]
    for check in [["pytest", *pytest_arguments]] if pytest_arguments else checks:
        print(f"june test: {' '.join(check)}", file=sys.stderr, flush=True)
        code = subprocess.run([sys.executable, "-m", *check], cwd=ROOT, check=False).returncode
        if code != 0:
            return code
    return 0
