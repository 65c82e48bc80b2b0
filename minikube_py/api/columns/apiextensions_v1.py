"""Columns of CustomResourceDefinitions. Upstream: the default table convertor of apiextensions-apiserver."""

from minikube_py.api.columns.ages import NAME
from minikube_py.api.meta import metadata
from minikube_py.api.resource import Column

CUSTOM_RESOURCE_DEFINITION_COLUMNS = (
    NAME,
    Column("Created At", lambda obj, _: metadata(obj).get("creationTimestamp"), type="date"),
)
