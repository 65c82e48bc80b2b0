"""Custom resources are followed as long as their definitions are there."""

from minikube_py.api.custom.rows import rows_of
from minikube_py.api.meta import ObjectKey, copy_object
from minikube_py.api.resources import CUSTOM_RESOURCE_DEFINITIONS
from minikube_py.controllers.indexes import OWNER_UID, by_owner
from minikube_py.controllers.io.custom_informers import CustomInformers
from minikube_py.controllers.plan import Listers
from minikube_py.controllers.spec import Watch
from minikube_py.testing.custom_objects import a_served_definition, a_version, a_widget
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.manual_clock import ManualClock

KEY = ObjectKey("", "widgets.ex.io")


class World:
    def __init__(self):
        self.client = FakeClient(ManualClock())
        self.shared = {}
        self.followed = []
        custom = CustomInformers(FakeInformers(self.client), self.shared)
        custom.add(lambda row: Watch(row, lambda change, listers: ()), by_owner, self.followed.append)
        custom.add(lambda row: None, None, self.followed.append)
        custom.start()

    def seed(self, crd):
        crd = copy_object(crd)
        crd["metadata"]["uid"] = "u"
        self.client.seed(CUSTOM_RESOURCE_DEFINITIONS, crd)

    @property
    def versions(self):
        return [informer.resource.api_version for informer in self.shared.values()]


async def test_a_custom_resource_is_followed_from_its_definition_on():
    world = World()
    world.seed(a_served_definition())

    assert world.versions == ["ex.io/v1"]
    assert [watch.resource.qualified for watch in world.followed] == ["widgets.ex.io"]

    (row,) = rows_of(a_served_definition())
    widget = a_widget()
    widget["metadata"]["ownerReferences"] = [{"uid": "u"}]
    await world.client.create(row, widget)
    listers = Listers(world.shared)
    assert [row.qualified for row in listers.custom()] == ["widgets.ex.io"]
    assert len(listers.by_index(row, OWNER_UID, "u")) == 1


async def test_a_change_that_keeps_the_version_keeps_the_informer():
    world = World()
    world.seed(a_served_definition())
    informer = world.shared["widgets.ex.io"]
    changed = a_served_definition()
    changed["metadata"]["labels"] = {"a": "b"}
    world.seed(changed)

    assert world.shared["widgets.ex.io"] is informer


async def test_another_best_version_is_followed_in_its_place():
    world = World()
    world.seed(a_served_definition())
    world.seed(a_served_definition(versions=(a_version("v1"), a_version("v2", storage=False))))

    assert world.versions == ["ex.io/v2"]
    assert len(world.followed) == 2


async def test_with_the_definition_its_informer_goes():
    world = World()
    world.seed(a_served_definition())
    await world.client.delete(CUSTOM_RESOURCE_DEFINITIONS, KEY)

    assert world.shared == {}
