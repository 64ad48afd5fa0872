"""`./june test`: everything that a reviewer, or CI, will check."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent

CODE = ("agent", "session", "tests")


def run_checks(*, everything: bool, pytest_arguments: Sequence[str]) -> int:
    """Style, types, then tests; the exit code of the first that fails.

    With words for pytest (`./june test tests/test_brain.py -k time`) only those tests run.
    """
    pytest = ["pytest", *(() if everything else ("-m", "not slow")), *pytest_arguments]
    checks = [
        ["ruff", "check", *CODE],
        ["ruff", "format", "--check", *CODE],
        ["mypy", *CODE],
        pytest,
    ]
    for check in checks if not pytest_arguments else [pytest]:
        print(f"june test: {' '.join(check)}", file=sys.stderr, flush=True)
        code = subprocess.run([sys.executable, "-m", *check], cwd=ROOT, check=False).returncode
        if code != 0:
            return code
    return 0
