from minikube_py.kit.token_bucket import TokenBucket


def test_a_burst_is_taken_and_then_what_comes_in_time():
    bucket = TokenBucket(2.0, 0.0)
    left = bucket.taken()
    assert left == TokenBucket(1.0, 0.0)
    empty = left.taken()
    assert empty.taken() is None

    assert empty.refilled(5.0, 2.0, 0.1).taken() is None
    assert empty.refilled(5.0, 2.0, 0.2).taken() == TokenBucket(0.0, 0.2)


def test_tokens_that_nobody_takes_are_kept_up_to_the_burst():
    assert TokenBucket(0.0, 0.0).refilled(5.0, 10.0, 60.0).tokens == 10.0
