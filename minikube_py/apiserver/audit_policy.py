"""Which requests are written down, and how much of them: audit.k8s.io/v1 Policy.

The first rule that matches a request decides; a request that none matches is not written down.

Upstream: apiserver audit/policy (checker.go, reader.go), apis/audit/validation.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from minikube_py.apiserver.routes import RequestInfo
from minikube_py.apiserver.users import UserInfo

Level = Literal["None", "Metadata", "Request", "RequestResponse"]
Stage = Literal["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"]
LEVELS: tuple[Level, ...] = get_args(Level)
STAGES: tuple[Stage, ...] = get_args(Stage)
API_VERSION = "audit.k8s.io/v1"


class AuditPolicyError(Exception):
    """A policy that cannot be used; the message lists every fault, one a line."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is written down of one request."""

    level: Level
    omit_stages: frozenset[str] = frozenset()
    omit_managed_fields: bool = False

    def keeps(self, part: Level) -> bool:
        """Return whether the level is at least this one."""
        return LEVELS.index(self.level) >= LEVELS.index(part)


NOTHING = Decision("None")


class AuditPolicy:
    """A policy that has been read."""

    def __init__(self, policy: Mapping[str, Any]) -> None:
        self._rules: Sequence[Mapping[str, Any]] = policy.get("rules") or ()
        self._omit_stages = frozenset(policy.get("omitStages") or ())
        self._omit_managed_fields = bool(policy.get("omitManagedFields"))

    def decide(self, user: UserInfo, info: RequestInfo) -> Decision:
        """Return what is written down of a request."""
        for rule in self._rules:
            if _matches(rule, user, info):
                omits = rule.get("omitManagedFields")
                return Decision(
                    rule["level"],
                    self._omit_stages | frozenset(rule.get("omitStages") or ()),
                    self._omit_managed_fields if omits is None else bool(omits),
                )
        return NOTHING


def _matches(rule: Mapping[str, Any], user: UserInfo, info: RequestInfo) -> bool:
    users, groups, verbs = (rule.get(field) or () for field in ("users", "userGroups", "verbs"))
    if (users and user.name not in users) or (verbs and info.verb not in verbs):
        return False
    if groups and not set(groups) & set(user.groups):
        return False
    if rule.get("namespaces") or rule.get("resources"):
        return info.is_resource and _matches_resource(rule, info)
    urls = rule.get("nonResourceURLs") or ()
    return not urls or (not info.is_resource and any(_is_path(str(url), info.path) for url in urls))


def _matches_resource(rule: Mapping[str, Any], info: RequestInfo) -> bool:
    if rule.get("namespaces") and info.namespace not in rule["namespaces"]:
        return False
    resources = rule.get("resources") or ()
    return not resources or any(_is_resource(entry, info) for entry in resources)


def _is_resource(entry: Mapping[str, Any], info: RequestInfo) -> bool:
    if (entry.get("group") or "") != info.group:
        return False
    if not entry.get("resources"):
        return True
    if entry.get("resourceNames") and info.name not in entry["resourceNames"]:
        return False
    wanted = {"*", f"{info.resource}/{info.subresource}" if info.subresource else info.resource, f"{info.resource}/*"}
    if info.subresource:
        wanted.add(f"*/{info.subresource}")
    return any(name in wanted for name in entry["resources"])


def _is_path(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))


def parse_policy(policy: object) -> AuditPolicy:
    """Return the policy in a parsed file.

    Raises:
        AuditPolicyError: it is none.
    """
    if not isinstance(policy, Mapping):
        raise AuditPolicyError("an audit policy is an object with apiVersion, kind and rules")
    faults = list(_faults(policy))
    if faults:
        raise AuditPolicyError("\n".join(faults))
    return AuditPolicy(policy)


def _faults(policy: Mapping[str, Any]) -> Iterator[str]:
    if policy.get("apiVersion") != API_VERSION or policy.get("kind") != "Policy":
        shown = f"{policy.get('apiVersion')}, Kind={policy.get('kind')}"
        yield f"unknown group version field {shown} in policy: it must be {API_VERSION}, Kind=Policy"
        return
    yield from _stage_faults(policy, "omitStages")
    rules = policy.get("rules")
    if not isinstance(rules, list) or not rules:
        yield "rules: Required value: a policy without rules writes nothing down"
        return
    for index, rule in enumerate(rules):
        path = f"rules[{index}]"
        if not isinstance(rule, Mapping):
            yield f"{path}: must be an object"
            continue
        if rule.get("level") not in LEVELS:
            yield f"{path}.level: Unsupported value: {rule.get('level')!r}: supported values: {', '.join(LEVELS)}"
        yield from _stage_faults(rule, f"{path}.omitStages")
        yield from _url_faults(rule, path)


def _stage_faults(holder: Mapping[str, Any], path: str) -> Iterator[str]:
    for index, stage in enumerate(holder.get("omitStages") or ()):
        if stage not in STAGES:
            yield f"{path}[{index}]: Invalid value: {stage!r}: allowed stages are {', '.join(STAGES)}"


def _url_faults(rule: Mapping[str, Any], path: str) -> Iterator[str]:
    urls = rule.get("nonResourceURLs") or ()
    if urls and (rule.get("resources") or rule.get("namespaces")):
        yield f"{path}.nonResourceURLs: Invalid value: rules cannot apply to both regular resources and URLs"
    for index, url in enumerate(urls):
        text = str(url)
        if text != "*" and (not text.startswith("/") or "*" in text[:-1]):
            why = "must begin with / and end with * at most"
            yield f"{path}.nonResourceURLs[{index}]: Invalid value: {text!r}: {why}"
