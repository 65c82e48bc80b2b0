import logging

import orjson

from minikube_py.kit.io.logs import JsonFormatter, TextFormatter, write_note
from minikube_py.kit.notes import Note


def _record(**fields):
    record = logging.LogRecord("kubelet", logging.INFO, "f.py", 1, "pod %s started", ("a/b",), None)
    record.created = 0.5
    vars(record).update(fields)
    return record


def test_text_shows_the_fields():
    assert (
        TextFormatter().format(_record(attempt=2))
        == "1970-01-01T00:00:00.500Z INFO kubelet: pod a/b started attempt=2"
    )


def test_json_is_one_object_a_line():
    line = orjson.loads(JsonFormatter().format(_record(attempt=2)))

    assert line == {
        "ts": "1970-01-01T00:00:00.500Z",
        "level": "info",
        "logger": "kubelet",
        "msg": "pod a/b started",
        "attempt": 2,
    }


def test_a_note_is_written_with_its_level_and_fields(caplog):
    with caplog.at_level(logging.DEBUG):
        write_note(logging.getLogger("x"), Note("warning", "pod a/b is slow", {"took": 3}))

    assert caplog.records[0].levelno == logging.WARNING
    assert caplog.records[0].took == 3
