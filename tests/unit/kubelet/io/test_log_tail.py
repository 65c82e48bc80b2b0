import json

from minikube_py.kubelet.io.log_tail import BYTES_MAX, read_log_tail


def write(path, texts):
    path.write_text("".join(json.dumps({"log": text, "stream": "stdout"}) + "\n" for text in texts))
    return str(path)


def test_the_last_80_lines_are_read(tmp_path):
    path = write(tmp_path / "log", [f"{n}\n" for n in range(200)])

    assert read_log_tail(path).splitlines() == [str(n) for n in range(120, 200)]


def test_at_most_2048_bytes_are_read(tmp_path):
    path = write(tmp_path / "log", ["x" * 1000 + "\n"] * 10)

    assert len(read_log_tail(path)) == BYTES_MAX


def test_a_line_that_is_half_written_is_skipped(tmp_path):
    path = tmp_path / "log"
    write(path, ["whole\n"])
    with path.open("a") as file:
        file.write('{"log": "ha')

    assert read_log_tail(str(path)) == "whole\n"


def test_no_log_is_nothing(tmp_path):
    assert read_log_tail(str(tmp_path / "none")) == ""
