"""What the build downloads: the compiler as a wheel, and source packages through an apt of the build's own.

The host's apt configuration stays as it is: lists, cache and the suites asked for are in the work folder.
"""

import functools
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from tools.onefile.recipe import SECURITY_SUITES, STATIC_TARGET, SUITES, TARGET, ZIG_VERSION, Source
from tools.onefile.steps import BuildError, Steps, output_of

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# zig refuses __DATE__ for the sake of reproducible builds, and instruments for undefined behaviour by itself.
ALWAYS = "-fno-sanitize=undefined -Wno-error=date-time -Wno-date-time"


def pip_download(steps: Steps, folder: Path, arguments: Sequence[str]) -> list[Path]:
    """Download wheels into `folder` and return them, sorted."""
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    steps.run([*pip, "--only-binary", ":all:", "--dest", folder, *arguments], cwd=folder)
    return sorted(folder.glob("*.whl"))


def install_compiler(steps: Steps, work: Path) -> Path:
    """Put the compiler and its wrappers into `work`, and them first in the steps' PATH; return the compiler's folder.

    `mkcc` compiles against glibc 2.17, `mkcc-static` for no C library; `mkar` and `mkranlib` go with both.
    """
    (wheel,) = pip_download(steps, work / "download", [f"ziglang=={ZIG_VERSION}"])
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(work / "zig")
    wheel.unlink()
    zig = work / "zig/ziglang/zig"
    zig.chmod(0o755)
    tools = work / "bin"
    tools.mkdir(parents=True)
    # The binary itself: the wheel's Python module would add a fifth of a second to each of some 1500 calls.
    for name, command in (
        ("mkcc", f'cc -target {TARGET} "$@" {ALWAYS}'),
        ("mkcc-static", f'cc -target {STATIC_TARGET} -static "$@" {ALWAYS}'),
        ("mkar", 'ar "$@"'),
        ("mkranlib", 'ranlib "$@"'),
    ):
        script = tools / name
        script.write_text(f"#!/bin/sh\nexec '{zig}' {command}\n")
        script.chmod(0o755)
    steps.environment |= {
        "PATH": f"{tools}:{steps.environment['PATH']}",
        "CC": "mkcc",
        "AR": "mkar",
        "RANLIB": "mkranlib",
        "ZIG_LOCAL_CACHE_DIR": str(work / "zig-cache"),
        "ZIG_GLOBAL_CACHE_DIR": str(work / "zig-cache"),
        "SOURCE_DATE_EPOCH": "1",
    }
    return zig.parent


class SourceArchive:
    """Debian's source packages, by an apt that knows nothing of the host's."""

    def __init__(self, steps: Steps, work: Path) -> None:
        self._steps = steps
        self._folder = work / "sources"
        apt = work / "apt"
        for name in ("lists/partial", "cache"):
            (apt / name).mkdir(parents=True)
        (apt / "status").touch()
        targets = output_of(["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages"])
        (apt / "sources.list").write_text(sources_list(targets))
        configuration = apt / "apt.conf"
        configuration.write_text(
            f'Dir::State::lists "{apt}/lists";\nDir::State::status "{apt}/status";\nDir::Cache "{apt}/cache";\n'
            f'Dir::Etc::sourcelist "{apt}/sources.list";\nDir::Etc::sourceparts "/dev/null";\n'
            'APT::Sandbox::User "root";\n'
        )
        self._environment = {"APT_CONFIG": str(configuration)}
        self._folder.mkdir()
        steps.run(["apt-get", "update", "-qq"], cwd=apt, **self._environment)

    def fetch(self, source: Source) -> tuple[Path, str]:
        """Return a folder with the package's source, patched, and its version.

        The newest version that the mirror has: an index may name files before they have come.

        Raises:
            BuildError: no version can be had.
        """
        reasons: list[str] = []
        described = output_of(["apt-cache", "showsrc", "--only-source", source.name], self._environment)
        for version in newest_first(described):
            where = self._folder / f"{source.name}-{len(reasons)}"
            where.mkdir()
            fetch = ["apt-get", "source", "-qq", "--download-only", f"{source.name}={version}"]
            try:
                self._steps.run(fetch, cwd=where, **self._environment)
            except BuildError as error:
                reasons.append(f"{version}: {error}")
                continue
            (description,) = where.glob("*.dsc")
            return self._unpack(source, description, where / "tree"), version
        raise BuildError(f"no source of {source.name} can be had:\n" + "\n".join(reasons))

    def _unpack(self, source: Source, description: Path, tree: Path) -> Path:
        skip = ["--skip-patches"] if source.patches else []
        self._steps.run(["dpkg-source", *skip, "-x", description, tree], cwd=description.parent)
        if source.patches:
            patches = tree / "debian/patches"
            for name in chosen_patches((patches / "series").read_text(), source.patches):
                argv = ["patch", "-p1", "--no-backup-if-mismatch", "-i", str(patches / name)]
                self._steps.run(argv, cwd=tree)
        shutil.rmtree(tree / ".pc", ignore_errors=True)
        return tree


def sources_list(targets: str) -> str:
    """Return apt's lines for the recipe's suites on the mirrors that the host's own apt uses.

    `targets` has a line for each of its indexes: the mirror and the suite.

    Raises:
        BuildError: it uses no mirror of Debian.
    """
    mirrors: dict[bool, str] = {}
    for line in targets.splitlines():
        site, _, release = line.partition(" ")
        if "debian" in site:
            mirrors.setdefault("security" in release, site)
    if set(mirrors) != {False, True}:
        raise BuildError("apt knows no mirror of Debian and of its security updates: build on a Debian host")
    options = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    return "".join(
        f"deb-src {options}{mirrors[security]} {suite} main\n"
        for security, suites in ((False, SUITES), (True, SECURITY_SUITES))
        for suite in suites
    )


def newest_first(described: str) -> list[str]:
    """Return the versions in apt's description of a source package, the newest by Debian's rules first."""
    found = {line.removeprefix("Version: ") for line in described.splitlines() if line.startswith("Version: ")}
    return sorted(found, key=functools.cmp_to_key(_compare_versions), reverse=True)


def _compare_versions(left: str, right: str) -> int:
    newer = subprocess.run(["dpkg", "--compare-versions", left, "gt", right], check=False).returncode == 0
    return 1 if newer else -1


def chosen_patches(series: str, pattern: str) -> list[str]:
    """Return the patches of a `series` file that match, in its order."""
    return [name for name in series.splitlines() if not name.startswith("#") and fnmatch(name, pattern)]
