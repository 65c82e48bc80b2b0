"""`scripts/build-binary`: the command line."""

import argparse
import os
import sys
from pathlib import Path

from tools.onefile.build import ROOT, build, print_report
from tools.onefile.cache import Cache, default_folder
from tools.onefile.steps import BuildError


def main() -> int:
    """Read the command line and build or check; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="scripts/build-binary",
        description="Makes one executable file with Python inside, for any Linux on x86_64 with glibc 2.17 or later.",
        epilog="The first build takes some ten minutes; what it made is kept, and a later one takes under a minute.",
    )
    add = parser.add_argument
    add("--output", type=Path, default=ROOT / "dist/minikube-py", help="the file (%(default)s)")
    add(
        "--cache",
        type=Path,
        default=default_folder(),
        help="where finished parts are kept; MINIKUBE_PY_BUILD_CACHE is the same (%(default)s)",
    )
    add("--jobs", type=int, default=os.cpu_count(), help="compile so many files at once (%(default)s)")
    add("--fresh", action="store_true", help="build all anew, with Debian's security updates of today")
    add("--check", type=Path, metavar="FILE", help="only check a file that was built")
    options = parser.parse_args()
    try:
        if options.check:
            print_report(options.check)
        else:
            build(options.output.absolute(), Cache(options.cache.absolute()), options.jobs, fresh=options.fresh)
    except (BuildError, OSError) as error:
        print(f"build-binary: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
