"""Whether one program may take another's place: upwards, and within what the stored state allows."""

from dataclasses import dataclass

from minikube_py.install.plan import InstallError


@dataclass(frozen=True, slots=True)
class Version:
    """What `minikube-py version -o json` says."""

    version: str
    kubernetes: str


def require_upgradable(running: Version, offered: Version, path: str) -> None:
    """Make sure that the offered program is not older: it might not read what the running one has written.

    Raises:
        InstallError: it is older.
    """
    if _numbers(offered.version) < _numbers(running.version):
        raise InstallError(
            f"{path} is minikube-py {offered.version}, older than {running.version}, which runs here: an older "
            "program may not read this state; take a snapshot and install it anew if that is what you want"
        )


def _numbers(version: str) -> tuple[int, ...]:
    """Return `1.20.3rc1+local` as (1, 20, 3)."""
    release = version.partition("+")[0].split(".")
    return tuple(int(digits) for part in release if (digits := _leading_digits(part)))


def _leading_digits(part: str) -> str:
    end = next((at for at, char in enumerate(part) if not char.isdigit()), len(part))
    return part[:end]
