"""schemathesis against the server's own OpenAPI: no 5xx, every answer fits its schema."""

import time

from minikube_py.testing.api_fuzz import fuzz

EXAMPLES = 50


def run(minutes: float, seed: int) -> str:
    """Fuzz fresh servers for `minutes`; returns what was done.

    Raises:
        AssertionError: an answer breaks a rule; the request is in the message.
    """
    deadline = time.monotonic() + minutes * 60
    rounds, said = 0, ""
    while time.monotonic() < deadline or not rounds:
        said = fuzz(deadline - time.monotonic(), seed + rounds, EXAMPLES)
        rounds += 1
    return f"{rounds} rounds; the last one: {said}"
