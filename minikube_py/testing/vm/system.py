"""What a virtual machine boots: a kernel, a disk image that is never changed, and how a root comes of it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class System:
    """One such system."""

    kernel: Path
    modules: Path
    """The folder of the kernel's modules, and of their dependencies."""
    image: Path
    """The disk image: the machine's first disk."""
    join: str
    """A shell's words that make /root of the disks, while the first files run."""
    written: str
    """A shell's words that list every file that was written or removed since the machine started."""
    needs_disk: bool = False
    """An empty second disk takes what is written; else the first does, which forgets it."""
    words: str = ""
    """What the kernel is told besides."""
