"""Which Service an EndpointSlice belongs to: a label says so, and whoever reads slices goes by it."""

from minikube_py.api.meta import Obj, ObjectKey, labels_of, namespace_of

SERVICE_NAME_LABEL = "kubernetes.io/service-name"


def service_key_of(endpoint_slice: Obj) -> ObjectKey | None:
    """Return the Service that a slice belongs to, None when it says none."""
    name = labels_of(endpoint_slice).get(SERVICE_NAME_LABEL)
    return ObjectKey(namespace_of(endpoint_slice), name) if name else None


def service_index(endpoint_slice: Obj) -> tuple[str, ...]:
    """Return the values of a slice in an index by Service: `namespace/name`."""
    key = service_key_of(endpoint_slice)
    return (str(key),) if key is not None else ()
