"""The table of controllers is sound."""

from minikube_py.controllers.config import ControllersConfig
from minikube_py.controllers.table import controllers

TABLE = controllers(ControllersConfig(root_ca_pem="PEM"))


def test_names_are_unique_and_everything_is_watched_that_is_worked_on() -> None:
    assert len({row.name for row in TABLE}) == len(TABLE)
    assert all(row.watches and row.workers_max > 0 for row in TABLE)


def test_one_index_name_means_one_index_of_a_resource() -> None:
    rows = [index for row in TABLE for index in row.indexes]
    assert rows
    for index in rows:
        same = [
            other
            for other in rows
            if (other.name, other.resource.qualified) == (index.name, index.resource.qualified)
        ]
        assert {other.values for other in same} == {index.values}
