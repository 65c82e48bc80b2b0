"""Ids from the operating system's random source."""

import uuid

from minikube_py.kit.io.system_clock import RandomUuids, system_ids


def test_every_uid_is_a_uuid_of_version_4_in_its_canonical_text():
    for text in (RandomUuids()() for _ in range(300)):
        parsed = uuid.UUID(text)
        assert (parsed.version, parsed.variant, str(parsed)) == (4, uuid.RFC_4122, text)


def test_no_uid_comes_twice_also_across_the_blocks_that_are_read():
    new_uid = system_ids().new_uid
    assert len({new_uid() for _ in range(2000)}) == 2000


def test_every_free_bit_is_random():
    numbers = [uuid.UUID(RandomUuids()()).int for _ in range(200)]
    union, intersection = 0, (1 << 128) - 1
    for number in numbers:
        union |= number
        intersection &= number
    fixed = (0xF << 76) | (0b11 << 62)
    assert union | fixed == (1 << 128) - 1
    assert intersection & ~fixed == 0
