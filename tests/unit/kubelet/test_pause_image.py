"""The pause program's bytes are facts: these tests read them back as a disassembler and a kernel would."""

import io
import json
import struct
import tarfile

import pytest

from minikube_py.kubelet.pause_image import (
    OWN_NETWORK_PATH,
    PAUSE_TAG,
    build_pause_image,
    own_network_program,
    pause_program,
)

HEADERS = 64 + 56
LOAD_ADDRESS = 0x400000


@pytest.mark.parametrize(("architecture", "machine"), [("amd64", 62), ("arm64", 183)])
def test_the_program_is_a_static_executable_of_one_segment(architecture, machine):
    program = pause_program(architecture)

    assert program[:6] == b"\x7fELF\x02\x01"
    kind, said_machine, _, entry, header_at = struct.unpack_from("<HHIQQ", program, 16)
    assert (kind, said_machine, header_at) == (2, machine, 64)
    assert entry == LOAD_ADDRESS + HEADERS
    segment, flags, offset, address, _, in_file, in_memory, align = struct.unpack_from("<IIQQQQQQ", program, 64)
    assert (segment, flags, offset, address) == (1, 5, 0, LOAD_ADDRESS)
    assert in_file == in_memory == len(program) == 248
    assert address % align == 0


def test_the_amd64_code_points_at_its_own_data():
    code = pause_program("amd64")[HEADERS:]
    action, signals = len(code) - 40, len(code) - 8

    # lea reg, [rip+d]: 48 8d 35/3d d32; the address counts from the end of the instruction.
    targets = [
        at + 7 + struct.unpack_from("<i", code, at + 3)[0]
        for at in range(action)
        if code[at : at + 2] == b"\x48\x8d" and code[at + 2] in (0x35, 0x3D)
    ]
    assert targets == [action, signals, signals]
    jump = code.index(b"\x78", code.index(b"\x85\xc0"))
    wait_again = jump + 2 + struct.unpack_from("<b", code, jump + 1)[0]
    assert code[wait_again : wait_again + 5] == b"\xb8" + struct.pack("<I", 128)


def test_the_arm64_code_points_at_its_own_data():
    code = pause_program("arm64")[HEADERS:]
    words = struct.unpack(f"<{(len(code) - 40) // 4}I", code[:-40])
    action, signals = len(code) - 40, len(code) - 8

    def adr_target(at, word):
        high, low = (word >> 5) & 0x7FFFF, (word >> 29) & 3
        return at * 4 + (high << 2 | low)

    targets = [adr_target(at, word) for at, word in enumerate(words) if word & 0x9F000000 == 0x10000000]
    assert targets == [action, signals, signals]
    (branch,) = [(at, word) for at, word in enumerate(words) if word & 0x7F000000 == 0x37000000]
    distance = (branch[1] >> 5) & 0x3FFF
    wait_again = branch[0] + (distance - 0x4000 if distance & 0x2000 else distance)
    assert words[wait_again] == 0xD2800000 | 137 << 5 | 8


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_both_programs_ignore_sigchld_and_wait_for_int_and_term(architecture):
    program = pause_program(architecture)

    handler, flags, restorer, mask = struct.unpack("<4Q", program[-40:-8])
    assert (handler, flags, restorer, mask) == (1, 0, 0, 0)
    assert struct.unpack("<Q", program[-8:]) == (1 << (2 - 1) | 1 << (15 - 1),)


def test_the_image_is_the_same_on_every_host():
    image = build_pause_image("amd64")

    assert image == build_pause_image("amd64")
    assert image.id == "sha256:ad7b4a8b168e38345f783115548f6bbde506b89c4ebfed82525dd524b386e148"
    assert build_pause_image("arm64").id == "sha256:95d2b6cede884dc8fc1b6c18359df50b687c3d6ade16e30b4ddc26b755b3a66b"


def test_the_image_runs_the_program_as_nobody():
    image = build_pause_image("amd64")

    with tarfile.open(fileobj=io.BytesIO(image.archive)) as archive:
        (entry,) = json.load(archive.extractfile("manifest.json"))
        config = json.load(archive.extractfile(entry["Config"]))
        layer = archive.extractfile(entry["Layers"][0]).read()
    assert entry["RepoTags"] == [PAUSE_TAG]
    assert entry["Config"] == image.id.removeprefix("sha256:") + ".json"
    assert config["config"]["Entrypoint"] == ["/pause"]
    assert config["config"]["User"] == "65535:65535"
    with tarfile.open(fileobj=io.BytesIO(layer)) as files:
        assert files.getnames() == ["pause", OWN_NETWORK_PATH.removeprefix("/")]
        assert {member.mode for member in files} == {0o755}
        assert files.extractfile("pause").read() == pause_program("amd64")
        assert files.extractfile("pause-own-network").read() == own_network_program("amd64")


def test_an_unknown_processor_has_no_program():
    with pytest.raises(KeyError):
        pause_program("riscv64")


def test_the_program_with_a_network_of_its_own_goes_on_as_the_other_one_or_ends():
    own, plain = own_network_program("amd64")[HEADERS:], pause_program("amd64")[HEADERS:]
    begin = own.removesuffix(plain)
    fail = begin.index(b"\xb8" + struct.pack("<I", 231))

    assert len(begin) + len(plain) == len(own)
    checks = [at for at in range(fail) if begin[at : at + 2] == b"\x85\xc0"]
    jumps = [(begin[at + 2], at + 4 + struct.unpack_from("<b", begin, at + 3)[0]) for at in checks]
    assert jumps == [(0x75, fail)] * 3 + [(0x74, len(begin))]
    calls = [struct.unpack_from("<I", begin, at + 1)[0] for at in range(fail) if begin[at] == 0xB8]
    assert calls == [272, 116, 119, 117]  # unshare, setgroups, setresgid, setresuid
    assert begin[fail:] == bytes.fromhex("b8e7000000 bf01000000 0f05")


def test_the_arm64_program_with_a_network_of_its_own_does_the_same():
    own, plain = own_network_program("arm64")[HEADERS:], pause_program("arm64")[HEADERS:]
    begin = own.removesuffix(plain)
    words = struct.unpack(f"<{len(begin) // 4}I", begin)

    calls = [(word >> 5) & 0xFFFF for word in words if word & 0xFFE0001F == 0xD2800008]
    assert calls == [97, 159, 149, 147, 94]
    branches = [(word >> 24, at + ((word >> 5) & 0x7FFFF)) for at, word in enumerate(words) if word >> 25 == 0x1A]
    fail = words.index(0xD2800000 | 94 << 5 | 8)
    assert branches == [(0x35, fail)] * 3 + [(0x34, len(words))]
    assert words[1] == 0xD2A80000  # mov x0, #0x40000000: CLONE_NEWNET
