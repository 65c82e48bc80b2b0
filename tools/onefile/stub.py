"""The program at the file's front (`stub.c`): what it is compiled from and how."""

from pathlib import Path

from tools.onefile.steps import Steps

SOURCE = Path(__file__).with_name("stub.c")
FLAGS = ("-Os", "-s", "-std=gnu17", "-Wall", "-Wextra", "-Werror")


def compile_stub(compiler: Steps, liblzma: Path, target: Path) -> None:
    """Compile the stub with the liblzma that is installed in the folder `liblzma`."""
    libraries: list[str | Path] = [f"-I{liblzma}/include", liblzma / "lib/liblzma.a"]
    compiler.run(["mkcc-static", *FLAGS, SOURCE, *libraries, "-o", target], cwd=SOURCE.parent)
