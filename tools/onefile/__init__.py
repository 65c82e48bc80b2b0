"""onefile: one executable with its own Python that needs nothing on the host but Linux and glibc 2.17 (CentOS 7).

The parts come from the package indexes alone: the compiler (zig, as a wheel), the sources of CPython and of the
libraries that it needs (Debian's source packages, with its security patches), and our dependencies (wheels). Compiled
is against glibc 2.17, the oldest that any of them has to run with.

`build.py` is the order of the steps, `recipe.py` names what goes in, `toolchain.py`, `libraries.py` and
`interpreter.py` make the Python, `tree.py` the folder that is packed, `payload.py` the file, `stub.c` the program at
the file's front; `elf_symbols.py` and `check.py` prove what came out.
"""
