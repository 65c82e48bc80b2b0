import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.network.ipam import AddressesExhaustedError, AddressPool


def a_pool(cidr: str = "10.244.0.0/29") -> AddressPool:
    return AddressPool(cidr, quarantine_s=60)


def test_network_gateway_and_broadcast_are_never_given():
    pool = a_pool()

    given_out = [pool.allocate(f"pod-{n}", 0) for n in range(5)]

    assert given_out == ["10.244.0.2", "10.244.0.3", "10.244.0.4", "10.244.0.5", "10.244.0.6"]
    with pytest.raises(AddressesExhaustedError, match="5 held"):
        pool.allocate("one-more", 0)


def test_an_owner_keeps_its_address():
    pool = a_pool()

    assert pool.allocate("pod", 0) == pool.allocate("pod", 0)


def test_a_freed_address_comes_back_last_and_not_before_its_rest():
    pool = a_pool()
    for n in range(4):
        pool.allocate(f"pod-{n}", 0)
    pool.release("pod-0", 10)

    assert pool.allocate("next", 11) == "10.244.0.6"
    with pytest.raises(AddressesExhaustedError, match="1 freed less than 60 s ago"):
        pool.allocate("later", 69)
    assert pool.allocate("later", 70) == "10.244.0.2"


def test_releasing_twice_is_fine():
    pool = a_pool()
    pool.allocate("pod", 0)

    pool.release("pod", 0)
    pool.release("pod", 0)

    assert pool.holders() == ()


def test_round_robin_goes_on_where_it_stood_before_a_restart():
    before = a_pool()
    before.allocate("pod", 0)

    after = a_pool()
    after.resume_after(before.last_allocated())
    after.resume_after("192.0.2.1")
    after.resume_after("nonsense")

    assert after.allocate("next", 0) == "10.244.0.3"


@pytest.mark.parametrize("address", ["10.244.0.1", "10.244.0.7", "10.244.1.2", "fd00::1", "x"])
def test_what_a_pod_cannot_hold_is_not_restored(address):
    assert not a_pool().restore("pod", address)


def test_two_pods_are_not_restored_with_one_address():
    pool = a_pool()

    assert pool.restore("pod", "10.244.0.2")
    assert pool.restore("pod", "10.244.0.2")
    assert not pool.restore("other", "10.244.0.2")
    assert not pool.restore("pod", "10.244.0.3")


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.booleans()), max_size=60))
def test_no_address_is_held_twice_or_given_in_its_rest(steps):
    pool = a_pool()
    freed_at_s: dict[str, float] = {}
    for now_s, (owner, take) in enumerate(steps):
        held = pool.address_of(owner)
        if not take:
            pool.release(owner, now_s)
            if held is not None:
                freed_at_s[held] = now_s
            continue
        try:
            address = pool.allocate(owner, now_s)
        except AddressesExhaustedError:
            continue
        if held is None:
            assert now_s - freed_at_s.get(address, -60) >= 60
        held_by_all = [pool.address_of(o) for o in pool.holders()]
        assert len(set(held_by_all)) == len(held_by_all)


def test_a_pod_gets_the_address_that_it_had_if_that_is_free():
    pool = a_pool()

    assert pool.allocate("pod", 0, "10.244.0.4") == "10.244.0.4"
    assert pool.allocate("pod", 0, "10.244.0.5") == "10.244.0.4"
    assert pool.allocate("held", 0, "10.244.0.4") == "10.244.0.2"
    pool.release("pod", 10)
    assert pool.allocate("rests", 11, "10.244.0.4") == "10.244.0.3"
    assert pool.allocate("rested", 70, "10.244.0.4") == "10.244.0.4"


@pytest.mark.parametrize("wanted", ["192.0.2.1", "10.244.0.1", "10.244.0.7", "nonsense"])
def test_an_address_that_is_none_of_the_slice_is_not_given(wanted):
    assert a_pool().allocate("pod", 0, wanted) == "10.244.0.2"
