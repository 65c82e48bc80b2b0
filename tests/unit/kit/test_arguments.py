import pytest

from minikube_py.kit.arguments import ArgumentError, positive_number, read_arguments, whole_number

TABLE = {"max-pods": ("max_pods", positive_number), "burst": ("burst", whole_number)}


def test_arguments_become_fields_and_a_later_one_wins():
    given = read_arguments("kubelet-arg", ("max-pods=3", "--burst=-1", "max-pods=4"), TABLE)

    assert (given.fields, given.faults) == ({"max_pods": 4, "burst": -1}, ())


def test_every_argument_that_cannot_be_used_is_named():
    given = read_arguments("kubelet-arg", ("max-pod=3", "burst", "max-pods=x", "burst=1"), TABLE)

    assert given.fields == {"burst": 1}
    assert given.faults == (
        "--kubelet-arg: there is no argument 'max-pod'; did you mean 'max-pods'?",
        "--kubelet-arg burst: it needs a value",
        "--kubelet-arg max-pods: 'x' is not a number",
    )


@pytest.mark.parametrize("text", ["0", "-3", "", "1.5"])
def test_a_number_above_0_is_just_that(text):
    with pytest.raises(ArgumentError):
        positive_number(text)
