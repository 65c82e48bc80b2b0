from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind


def test_an_error_reads_as_the_runtime_said_it():
    error = ContainerRuntimeError(RuntimeErrorKind.REFUSED, "no such image")

    assert (str(error), error.kind) == ("no such image", RuntimeErrorKind.REFUSED)
