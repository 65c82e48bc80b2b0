"""The pause image, made from nothing: a node must start pods with no registry, no compiler and no libc in reach.

The program is pid 1 of every pod sandbox. It has three jobs: stay, end at once on SIGTERM, and never leave a zombie
when it is pid 1 of a shared process namespace. Four system calls do that:

1. `rt_sigaction(SIGCHLD, SIG_IGN)`: the kernel itself reaps children, so no wait loop is needed.
2. `rt_sigprocmask(SIG_BLOCK, {INT, TERM})`: pid 1 gets no default actions; a blocked signal stays pending instead.
3. `rt_sigtimedwait({INT, TERM}, no timeout)`: sleeps until one comes; any other interruption waits again.
4. `exit_group(0)`.

All of them are in every seccomp profile, and old enough for kernel 3.10.

Beside it lies a second program, which first leaves the network namespace that it was started in for a new one of its
own (`unshare`), and then gives up root and with it every capability (`setgroups`, `setresgid`, `setresuid`). Started
in the host's network it spares the engine the making of a namespace, which takes it longer than all the rest of a
pause container: it runs a copy of itself for that. Its new user id is the sign that it has left, for a call that
fails ends it (`kubelet/io/pause_network.py` waits for that sign). The machine code below is assembled by
hand; the right column is its source. File, layer and image are the same bytes on every host (fixed times, sorted
keys), therefore the image id is known before the image exists and can be checked at any time.

Upstream: build/pause/linux/pause.c.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minikube_py.kubelet.image_archive import ArchiveEntry, ImageArchive, render_image

PAUSE_TAG = "minikube-py/pause:2"
"""The name in `docker images`; containers are made by id, so that a moved tag does no harm."""

OWN_NETWORK_PATH = "/pause-own-network"
"""The entry point for a container in the host's network that leaves it at once."""
PAUSE_ID = 65535
"""The user and group that a pause process has, from the start or in the end."""

_LOAD_ADDRESS = 0x400000
_HEADERS_BYTES = 64 + 56
"""ELF header and the one program header; the code follows."""

_SIGACTION_IGNORE = "01000000 00000000" + "00000000 00000000" * 3
"""struct kernel_sigaction: handler SIG_IGN (1), no flags, no restorer, empty mask."""
_SET_INT_TERM = "02400000 00000000"
"""sigset: bit 1 (SIGINT is 2) and bit 14 (SIGTERM is 15)."""

_AMD64 = f"""
    b8 0d000000          # mov  $13, %eax        rt_sigaction
    bf 11000000          # mov  $17, %edi        SIGCHLD
    48 8d35 47000000     # lea  action(%rip), %rsi
    31d2                 # xor  %edx, %edx       no old action wanted
    41ba 08000000        # mov  $8, %r10d        bytes of a sigset
    0f05                 # syscall
    b8 0e000000          # mov  $14, %eax        rt_sigprocmask
    31ff                 # xor  %edi, %edi       SIG_BLOCK
    48 8d35 4f000000     # lea  set(%rip), %rsi
    31d2                 # xor  %edx, %edx
    41ba 08000000        # mov  $8, %r10d
    0f05                 # syscall
    b8 80000000          # again: mov $128, %eax rt_sigtimedwait
    48 8d3d 39000000     # lea  set(%rip), %rdi
    31f6                 # xor  %esi, %esi       no siginfo wanted
    31d2                 # xor  %edx, %edx       no timeout
    41ba 08000000        # mov  $8, %r10d
    0f05                 # syscall
    85c0                 # test %eax, %eax
    78e4                 # js   again            interrupted: wait on
    b8 e7000000          # mov  $231, %eax       exit_group
    31ff                 # xor  %edi, %edi       status 0
    0f05                 # syscall
    {_SIGACTION_IGNORE}  # action:
    {_SET_INT_TERM}      # set:
"""

_ARM64 = f"""
    c81080d2             # mov  x8, #134         rt_sigaction
    200280d2             # mov  x0, #17          SIGCHLD
    81020010             # adr  x1, action
    020080d2             # mov  x2, #0           no old action wanted
    030180d2             # mov  x3, #8           bytes of a sigset
    010000d4             # svc  #0
    e81080d2             # mov  x8, #135         rt_sigprocmask
    000080d2             # mov  x0, #0           SIG_BLOCK
    c1020010             # adr  x1, set
    020080d2             # mov  x2, #0
    030180d2             # mov  x3, #8
    010000d4             # svc  #0
    281180d2             # again: mov x8, #137   rt_sigtimedwait
    20020010             # adr  x0, set
    010080d2             # mov  x1, #0           no siginfo wanted
    020080d2             # mov  x2, #0           no timeout
    030180d2             # mov  x3, #8
    010000d4             # svc  #0
    40ffff37             # tbnz w0, #31, again   interrupted: wait on
    c80b80d2             # mov  x8, #94          exit_group
    000080d2             # mov  x0, #0           status 0
    010000d4             # svc  #0
    {_SIGACTION_IGNORE}  # action:
    {_SET_INT_TERM}      # set:
"""

_AMD64_OWN_NETWORK = f"""
    b8 10010000          # mov  $272, %eax       unshare
    bf 00000040          # mov  $0x40000000, %edi CLONE_NEWNET
    0f05                 # syscall
    85c0                 # test %eax, %eax
    752e                 # jnz  fail
    b8 74000000          # mov  $116, %eax       setgroups
    31ff                 # xor  %edi, %edi       none
    31f6                 # xor  %esi, %esi
    0f05                 # syscall
    85c0                 # test %eax, %eax
    751f                 # jnz  fail
    b8 77000000          # mov  $119, %eax       setresgid
    bf ffff0000          # mov  $65535, %edi     real, effective, saved
    89fe                 # mov  %edi, %esi
    89fa                 # mov  %edi, %edx
    0f05                 # syscall
    85c0                 # test %eax, %eax
    750b                 # jnz  fail
    b8 75000000          # mov  $117, %eax       setresuid, the same ids
    0f05                 # syscall
    85c0                 # test %eax, %eax
    740c                 # jz   main
    b8 e7000000          # fail: mov $231, %eax exit_group
    bf 01000000          # mov  $1, %edi         status 1
    0f05                 # syscall
    # main:
    {_AMD64}
"""

_ARM64_OWN_NETWORK = f"""
    280c80d2             # mov  x8, #97         unshare
    0000a8d2             # mov  x0, #0x40000000 CLONE_NEWNET
    010000d4             # svc  #0
    00020035             # cbnz w0, fail
    e81380d2             # mov  x8, #159        setgroups
    000080d2             # mov  x0, #0          none
    010080d2             # mov  x1, #0
    010000d4             # svc  #0
    60010035             # cbnz w0, fail
    a81280d2             # mov  x8, #149        setresgid
    e0ff9fd2             # mov  x0, #65535      real
    e1ff9fd2             # mov  x1, #65535      effective
    e2ff9fd2             # mov  x2, #65535      saved
    010000d4             # svc  #0
    a0000035             # cbnz w0, fail
    681280d2             # mov  x8, #147        setresuid, the same ids
    e0ff9fd2             # mov  x0, #65535
    010000d4             # svc  #0
    80000034             # cbz  w0, main
    c80b80d2             # fail: mov x8, #94    exit_group
    200080d2             # mov  x0, #1          status 1
    010000d4             # svc  #0
    # main:
    {_ARM64}
"""


@dataclass(frozen=True, slots=True)
class _Machine:
    """What differs between processors."""

    elf_machine: int
    alignment: int
    """The largest page size a kernel of this processor may use."""
    code: str
    own_network_code: str


_MACHINES: Mapping[str, _Machine] = {
    "amd64": _Machine(elf_machine=62, alignment=0x1000, code=_AMD64, own_network_code=_AMD64_OWN_NETWORK),
    "arm64": _Machine(elf_machine=183, alignment=0x10000, code=_ARM64, own_network_code=_ARM64_OWN_NETWORK),
}
"""By Docker's (and Go's) name of the architecture."""

ARCHITECTURES: Sequence[str] = tuple(_MACHINES)


def pause_program(architecture: str) -> bytes:
    """Return the static ELF executable for `amd64` or `arm64`.

    Raises:
        KeyError: no code for this architecture.
    """
    return _executable(_MACHINES[architecture], _MACHINES[architecture].code)


def own_network_program(architecture: str) -> bytes:
    """Return the executable that leaves its network first; KeyError as above."""
    return _executable(_MACHINES[architecture], _MACHINES[architecture].own_network_code)


def _executable(machine: _Machine, source: str) -> bytes:
    code = bytes.fromhex("".join(line.partition("#")[0] for line in source.splitlines()))
    size = _HEADERS_BYTES + len(code)
    identity = b"\x7fELF" + bytes((2, 1, 1, 0)) + bytes(8)  # 64 bit, little endian, version 1, System V
    header = struct.pack(
        "<HHIQQQIHHHHHH", 2, machine.elf_machine, 1, _LOAD_ADDRESS + _HEADERS_BYTES, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    readable_executable = 5
    segment = struct.pack(
        "<IIQQQQQQ", 1, readable_executable, 0, _LOAD_ADDRESS, _LOAD_ADDRESS, size, size, machine.alignment
    )
    return identity + header + segment + code


def build_pause_image(architecture: str) -> ImageArchive:
    """Return the pause image for `amd64` or `arm64`; KeyError for others."""
    programs = (
        ArchiveEntry("pause", pause_program(architecture), 0o755),
        ArchiveEntry(OWN_NETWORK_PATH.removeprefix("/"), own_network_program(architecture), 0o755),
    )
    config = {
        "Entrypoint": ["/pause"],
        "Env": ["PATH=/"],
        "User": f"{PAUSE_ID}:{PAUSE_ID}",
        "WorkingDir": "/",
    }
    return render_image(architecture, (PAUSE_TAG,), programs, config)
