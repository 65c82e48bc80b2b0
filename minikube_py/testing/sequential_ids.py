"""Ids that count, so that a test can name them and a simulation repeats (kit.ids.Ids)."""

from itertools import count

from minikube_py.kit.ids import NAME_ALPHABET, Ids


def sequential_ids() -> Ids:
    """Return ids 00000000-0000-4000-8000-000000000001, ...2 and suffixes that count in NAME_ALPHABET."""
    uids, suffixes = count(1), count(0)
    return Ids(
        new_uid=lambda: f"00000000-0000-4000-8000-{next(uids):012d}",
        new_suffix=lambda length: _digits(next(suffixes), length),
    )


def _digits(number: int, length: int) -> str:
    text = ""
    for _ in range(length):
        number, digit = divmod(number, len(NAME_ALPHABET))
        text = NAME_ALPHABET[digit] + text
    return text
