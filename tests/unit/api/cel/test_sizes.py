from minikube_py.api.cel.sizes import LARGEST, UNKNOWN, Size, traversal


def test_sizes_stop_at_the_largest_number():
    assert UNKNOWN.plus(Size(1, 1)) == Size(1, LARGEST)
    assert Size(2, 2**40).times(Size(3, 2**40)) == Size(6, LARGEST)
    assert Size(2, 3).union(Size(1, 2)) == Size(1, 3)


def test_looking_through_a_text_costs_a_tenth_of_its_length_rounded_up():
    assert [traversal(size) for size in (0, 1, 10, 11, 3145726)] == [0, 1, 1, 2, 314573]
    assert traversal(LARGEST) == LARGEST
