"""The rows of authentication.k8s.io and authorization.k8s.io: questions that are answered and not kept."""

from minikube_py.api.columns.cells import DEFAULT_COLUMNS
from minikube_py.api.resource import Resource
from minikube_py.api.table.parts import NEUTRAL

TOKEN_REVIEWS = Resource(
    group="authentication.k8s.io",
    version="v1",
    kind="TokenReview",
    plural="tokenreviews",
    singular="tokenreview",
    namespaced=False,
    rules=NEUTRAL,
    columns=DEFAULT_COLUMNS,
    verbs=("create",),
    computed=True,
)
SELF_SUBJECT_REVIEWS = Resource(
    group="authentication.k8s.io",
    version="v1",
    kind="SelfSubjectReview",
    plural="selfsubjectreviews",
    singular="selfsubjectreview",
    namespaced=False,
    rules=NEUTRAL,
    columns=DEFAULT_COLUMNS,
    verbs=("create",),
    computed=True,
)
SUBJECT_ACCESS_REVIEWS = Resource(
    group="authorization.k8s.io",
    version="v1",
    kind="SubjectAccessReview",
    plural="subjectaccessreviews",
    singular="subjectaccessreview",
    namespaced=False,
    rules=NEUTRAL,
    columns=DEFAULT_COLUMNS,
    verbs=("create",),
    computed=True,
)
SELF_SUBJECT_ACCESS_REVIEWS = Resource(
    group="authorization.k8s.io",
    version="v1",
    kind="SelfSubjectAccessReview",
    plural="selfsubjectaccessreviews",
    singular="selfsubjectaccessreview",
    namespaced=False,
    rules=NEUTRAL,
    columns=DEFAULT_COLUMNS,
    verbs=("create",),
    computed=True,
)
SELF_SUBJECT_RULES_REVIEWS = Resource(
    group="authorization.k8s.io",
    version="v1",
    kind="SelfSubjectRulesReview",
    plural="selfsubjectrulesreviews",
    singular="selfsubjectrulesreview",
    namespaced=False,
    rules=NEUTRAL,
    columns=DEFAULT_COLUMNS,
    verbs=("create",),
    computed=True,
)
LOCAL_SUBJECT_ACCESS_REVIEWS = Resource(
    group="authorization.k8s.io",
    version="v1",
    kind="LocalSubjectAccessReview",
    plural="localsubjectaccessreviews",
    singular="localsubjectaccessreview",
    namespaced=True,
    rules=NEUTRAL,
    columns=DEFAULT_COLUMNS,
    verbs=("create",),
    computed=True,
)

ROWS = (
    TOKEN_REVIEWS,
    SELF_SUBJECT_REVIEWS,
    SUBJECT_ACCESS_REVIEWS,
    SELF_SUBJECT_ACCESS_REVIEWS,
    SELF_SUBJECT_RULES_REVIEWS,
    LOCAL_SUBJECT_ACCESS_REVIEWS,
)
