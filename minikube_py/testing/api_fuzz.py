"""schemathesis against the server's own OpenAPI documents: no unexpected 5xx, every answer is what it says it is.

The server runs in a thread of its own, over loopback HTTP. Operations that need a node (exec, attach, port-forward,
proxies) are left to test_apiserver_streams.
"""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import hypothesis
import requests
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from minikube_py.testing.memory_api_server import ADMIN_TOKEN, LOOPBACK_CONFIG, memory_api_server, serving

CONFIG = replace(LOOPBACK_CONFIG, future_wait_s=0.01, shutdown_grace_s=0.1)
HEADERS = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
EXPECTED_5XX = (
    "declared merge key",
    "typed patch object",
    "typed live object",
    "should not be set",
    "target.",
    "objects of the same type",
    "strconv.ParseUint",
    "cannot be handled as a",
    "unknown patch type",
    "Too large resource version",
    "is registered for version",
)
"""Where upstream answers 500 or 504 as well."""
_STREAMS = ("/exec", "/attach", "/portforward", "/proxy")
ANSWER_S_MAX = 10.0


@contextmanager
def threaded_server() -> Iterator[str]:
    """Serve in a thread while the context lasts; gives the URL."""
    ready, urls = threading.Event(), list[str]()
    loop = asyncio.new_event_loop()
    stop: asyncio.Event = asyncio.Event()

    async def serve() -> None:
        async with serving(memory_api_server(CONFIG), None) as url:
            urls.append(url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="api-server")
    thread.start()
    try:
        assert ready.wait(10)
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


class Fuzz:
    """One run."""

    def __init__(self, url: str, seed: int, deadline_s: float, stride: int) -> None:
        self._url = url
        self._seed = seed
        self._deadline_s = deadline_s
        self._stride = stride
        self._found = 0
        self.statuses: Counter[int] = Counter()
        self.operations = 0

    def run(self, examples: int) -> None:
        """Try every operation (of each `stride` one) with so many requests, until the deadline.

        Raises:
            AssertionError or schemathesis.CheckFailed: an answer breaks a rule; the request is in the message.
        """
        documents = requests.get(f"{self._url}/openapi/v3", headers=HEADERS, timeout=ANSWER_S_MAX).json()["paths"]
        for entry in documents.values():
            url = self._url + entry["serverRelativeURL"]
            document = requests.get(url, headers=HEADERS, timeout=ANSWER_S_MAX).json()
            schema = schemathesis.openapi.from_dict(document)
            schema.config.update(base_url=self._url)
            for found in schema.get_all_operations():
                operation: Any = found.ok()  # type: ignore[union-attr]  # a fault in the document shall fail here
                if time.monotonic() > self._deadline_s:
                    return
                if any(part in operation.path for part in _STREAMS):
                    continue
                self._found += 1
                if self._found % self._stride == 0:
                    self._try(operation, examples)

    def _try(self, operation: Any, examples: int) -> None:
        self.operations += 1

        @hypothesis.seed(self._seed)
        @hypothesis.settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate],
        )
        @hypothesis.given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            self._ask(case)

        ask()

    def _ask(self, case: Any) -> None:
        if isinstance(case.query, dict) and case.query.get("watch") not in (None, "false", False):
            case.query["timeoutSeconds"] = 1
            case.query["resourceVersion"] = "abc"  # refused, or it would go on for a second
        response = case.call(headers=HEADERS, timeout=ANSWER_S_MAX)
        self.statuses[response.status_code] += 1
        if response.status_code >= 400:
            status = json.loads(response.content)
            assert status["kind"] == "Status", (case.as_curl_command(), response.content)
            assert status["code"] == response.status_code
            expected = any(text in status["message"] for text in EXPECTED_5XX)
            assert response.status_code < 500 or expected, (case.as_curl_command(), status)
        elif case.method != "DELETE":  # the documents say Status, as upstream's; what lingers is answered whole
            case.validate_response(response, checks=[not_a_server_error, response_schema_conformance])


def fuzz(seconds: float, seed: int, examples: int, stride: int = 1) -> str:
    """Fuzz a fresh server for so long at most; returns what was done."""
    with threaded_server() as url:
        run = Fuzz(url, seed, time.monotonic() + seconds, stride)
        run.run(examples)
    return f"{run.operations} operations, answers {dict(sorted(run.statuses.items()))}"
