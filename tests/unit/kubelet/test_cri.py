from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind


def test_an_error_shows_the_runtimes_words():
    error = ContainerRuntimeError(RuntimeErrorKind.REFUSED, "executable file not found in $PATH")

    assert str(error) == error.message == "executable file not found in $PATH"
    assert error.kind is RuntimeErrorKind.REFUSED
