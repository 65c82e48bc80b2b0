"""tests/node/test_selinux.py: an emulated host whose policy is enforced takes the role and the node; ten minutes.

It is the same each time and has no seed; of `--minutes` it takes what it needs. `scripts/build-binary` comes first.
"""

import subprocess
import sys
from pathlib import Path

TESTS = "tests/node/test_selinux.py"
_ROOT = Path(__file__).parents[3]


def run(minutes: float, seed: int) -> str:
    """Run the tests.

    Raises:
        RuntimeError: one failed.
    """
    del minutes, seed
    argv = [sys.executable, "-m", "pytest", "-q", "-m", "soak", TESTS]
    if subprocess.run(argv, cwd=_ROOT, check=False).returncode:
        raise RuntimeError(f"{TESTS} failed")
    return f"{TESTS} passed"
