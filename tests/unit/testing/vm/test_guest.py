import sys

from minikube_py.testing.vm.guest import answer


def asked(*argv, stdin=None, timeout_s=30):
    return answer({"argv": argv, "stdin": stdin, "timeout_s": timeout_s})


def test_a_program_gets_its_input_and_its_end_and_its_words_are_told():
    said = asked("sh", "-c", "cat; echo no >&2; exit 3", stdin="yes")
    assert said == {"returncode": 3, "stdout": "yes", "stderr": "no\n"}


def test_a_program_that_is_not_there_is_told_as_a_shell_tells_it():
    said = asked("/no/such/program")
    assert said["returncode"] == 127
    assert "/no/such/program" in said["stderr"]


def test_a_program_that_does_not_end_in_time_has_no_exit_status():
    said = asked(sys.executable, "-S", "-c", "import signal; signal.pause()", timeout_s=0)
    assert said["returncode"] is None
