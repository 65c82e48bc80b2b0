import threading

import pytest

from minikube_py.testing.awaited_executor import AwaitedExecutor


def test_a_work_is_done_when_it_has_been_given_and_its_error_is_that_of_who_asks():
    with AwaitedExecutor() as threads:
        assert threads.submit(threading.get_ident).done()
        failed = threads.submit(lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        failed.result(0)
