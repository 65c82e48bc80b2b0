import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from minikube_py.apiserver.io.computation import Computation, GivenUp


@pytest.fixture
def thread():
    with ThreadPoolExecutor(max_workers=1) as executor:
        yield executor


def endless(begun):
    begun.set()
    while True:
        pass


def test_a_computation_gives_what_it_computes(thread):
    assert thread.submit(Computation(lambda: 7)).result(60) == 7


def test_its_error_is_its_own(thread):
    with pytest.raises(ZeroDivisionError):
        thread.submit(Computation(lambda: 1 / 0)).result(60)


def test_one_that_would_never_end_ends_when_it_is_given_up_and_its_thread_goes_on(thread):
    begun = threading.Event()
    computation = Computation(lambda: endless(begun))
    done = thread.submit(computation)
    begun.wait(60)
    computation.give_up()
    assert isinstance(done.exception(60), GivenUp)
    assert thread.submit(Computation(lambda: 7)).result(60) == 7


def test_one_that_was_given_up_before_does_not_begin(thread):
    began = []
    computation = Computation(lambda: began.append(1))
    computation.give_up()
    assert isinstance(thread.submit(computation).exception(60), GivenUp)
    assert began == []


def test_one_that_is_given_up_when_it_has_ended_does_not_hurt_the_next(thread):
    computation = Computation(lambda: 7)
    assert thread.submit(computation).result(60) == 7
    computation.give_up()
    assert thread.submit(Computation(lambda: sum(range(100_000)))).result(60) > 0


def test_whenever_it_is_given_up_the_thread_does_its_next_work():
    with ThreadPoolExecutor(max_workers=1) as thread:
        for number in range(300):
            computation = Computation(lambda: sum(range(500)))
            done = thread.submit(computation)
            until_s = time.perf_counter() + number * 1e-7
            while time.perf_counter() < until_s:
                pass
            computation.give_up()
            assert isinstance(done.exception(60), GivenUp | None)
            assert thread.submit(lambda: sum(range(100))).result(60) == 4950
