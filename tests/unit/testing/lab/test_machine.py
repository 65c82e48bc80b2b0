"""Labs side by side: each has a subnet of its own, whatever digests say."""

import shutil

import pytest

from minikube_py.testing.lab.layout import SUBNETS
from minikube_py.testing.lab.machine import LabError, claim_subnet, release_subnet


def test_as_many_labs_as_there_are_subnets_never_share_one_and_each_keeps_its_own(tmp_path):
    claims = tmp_path / "claims"
    folders = [tmp_path / f"lab{number}" for number in range(SUBNETS)]
    numbers = [claim_subnet(folder, claims) for folder in folders]
    assert sorted(numbers) == list(range(SUBNETS))
    assert [claim_subnet(folder, claims) for folder in folders] == numbers


def test_when_every_subnet_is_taken_the_error_says_where_the_claims_are(tmp_path):
    claims = tmp_path / "claims"
    for number in range(SUBNETS):
        claim_subnet(tmp_path / f"lab{number}", claims)
    with pytest.raises(LabError, match="claims"):
        claim_subnet(tmp_path / "one-more", claims)


def test_a_released_subnet_and_one_whose_lab_is_gone_are_free_again(tmp_path):
    claims = tmp_path / "claims"
    folders = [tmp_path / f"lab{number}" for number in range(SUBNETS)]
    numbers = [claim_subnet(folder, claims) for folder in folders]
    release_subnet(folders[3], claims)
    assert claim_subnet(tmp_path / "next", claims) == numbers[3]
    shutil.rmtree(folders[7])
    assert claim_subnet(tmp_path / "after", claims) == numbers[7]
