import pytest

from minikube_py.api.service_networks import service_networks


@pytest.mark.parametrize(
    ("cidrs", "networks"),
    [
        ([], ("10.96.0.0/16",)),
        ([["10.96.0.0/16"]], ("10.96.0.0/16",)),
        ([["10.200.0.0/24", "fd00::/108"], ["10.96.0.0/16"]], ("10.96.0.0/16", "10.200.0.0/24")),
        ([["10.96.4.0/24"]], ("10.96.0.0/16",)),
        ([["10.96.0.0/12"]], ("10.96.0.0/12",)),
        ([["10.97.0.0/16"]], ("10.96.0.0/15",)),
    ],
)
def test_all_ranges_of_the_family_count_and_none_overlaps_another(cidrs, networks):
    service_cidrs = [{"spec": {"cidrs": each}} for each in cidrs]

    assert service_networks(service_cidrs, "10.96.0.0/16") == networks


def test_a_range_that_is_being_deleted_still_counts_and_one_that_says_nothing_does_not():
    leaving = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": {"cidrs": ["10.200.0.0/24"]}}

    assert service_networks([leaving, {}], "10.96.0.0/16") == ("10.96.0.0/16", "10.200.0.0/24")
