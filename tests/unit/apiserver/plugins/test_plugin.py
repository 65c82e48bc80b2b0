from minikube_py.api.resources import PODS
from minikube_py.apiserver.admission import Attributes
from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.plugins.plugin import Asked, place_of
from minikube_py.apiserver.users import LOOPBACK
from minikube_py.testing.built_in_admission import DictLookups


def test_a_place_is_a_resource_or_a_subresource_of_it():
    assert place_of(Attributes("CREATE", PODS, "", "n", "p", LOOPBACK)) == "pods"
    assert place_of(Attributes("CREATE", PODS, "binding", "n", "p", LOOPBACK)) == "pods/binding"


def test_a_refusal_names_the_object():
    asked = Asked(Attributes("CREATE", PODS, "", "n", "p", LOOPBACK), {}, None, DictLookups(), ApiServerConfig())
    assert asked.refusal("no").message == 'pods "p" is forbidden: no'
