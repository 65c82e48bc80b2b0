"""Who may use an image that is on the host: an image that was pulled with a pod's secret is not everybody's.

Of every image that this kubelet pulled it is noted, for each repository it came from, whether anybody could have
pulled it, and else whose credentials were good. A pod that cannot show such credentials has to pull: the registry
decides. Images that the kubelet did not pull (preloaded, built, pulled by hand) are open to all, and so is a further
name that an image was given on this host: no registry could say anything about that.

Upstream: kubelet/images/pullmanager, feature KubeletEnsureSecretPulledImages (on since 1.35), with the policy
NeverVerifyPreloadedImages.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from minikube_py.kubelet.registry_credentials import Credential

RECORDS_MAX = 1000
"""Images remembered; beyond it the oldest record goes, and its image counts as preloaded."""
SECRETS_MAX = 50
"""Credentials remembered for one repository; beyond it the oldest go, and their pods have to pull again."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use what came from one repository."""

    is_open: bool = False
    secrets: tuple[str, ...] = ()
    """`uid/namespace/name` of Secrets that were good, the newest last."""
    hashes: tuple[str, ...] = ()
    """Of the credentials themselves: another Secret may hold the same ones."""


@dataclass(frozen=True, slots=True)
class PullRecords:
    """Image id -> repository -> who may use it."""

    images: Mapping[str, Mapping[str, Access]] = field(default_factory=dict)

    def must_pull(self, image_id: str, repository: str, shown: Sequence[Credential], account: str = "") -> bool:
        """Return whether a pod has to pull an image that is on the host.

        Args:
            image_id: the image.
            repository: where the pod wants it from.
            shown: the credentials of the pod's secrets.
            account: what those are remembered by that programs gave for the pod's service account.
        """
        known = self.images.get(image_id)
        if known is None:
            return False
        access = known.get(repository)
        if access is None:
            return True
        if access.is_open or account in access.secrets:
            return False
        return not any(c.secret in access.secrets or _hash(c) in access.hashes for c in shown if c.secret)

    def knows(self, image_id: str, repository: str) -> bool:
        """Return whether this kubelet pulled the image from that repository."""
        return repository in (self.images.get(image_id) or {})

    def is_open(self, image_id: str, repository: str) -> bool:
        """Return whether everybody may use it: then nobody's credentials need to be read."""
        return not self.must_pull(image_id, repository, ())

    def with_pull(self, image_id: str, repository: str, used: Credential | None) -> "PullRecords":
        """Return the records after a pull that succeeded; `used` is None without credentials, or with the node's."""
        repositories = dict(self.images.get(image_id) or {})
        before = repositories.get(repository, Access())
        if used is None or not used.secret:
            after = replace(before, is_open=True)
        else:
            after = replace(
                before,
                secrets=_appended(before.secrets, used.secret),
                hashes=_appended(before.hashes, _hash(used)),
            )
        if after == before and image_id in self.images:
            return self
        images = {key: value for key, value in self.images.items() if key != image_id}
        while len(images) >= RECORDS_MAX:
            images.pop(next(iter(images)))
        return PullRecords({**images, image_id: {**repositories, repository: after}})

    def without(self, image_id: str) -> "PullRecords":
        """Return the records without an image: it is gone, and may come back by other ways."""
        if image_id not in self.images:
            return self
        return PullRecords({key: value for key, value in self.images.items() if key != image_id})

    def render(self) -> str:
        """Return the records as a file's text."""
        document = {
            image: {
                repository: {"open": access.is_open, "secrets": access.secrets, "hashes": access.hashes}
                for repository, access in repositories.items()
            }
            for image, repositories in self.images.items()
        }
        return json.dumps({"images": document})


def parse_pull_records(text: str) -> PullRecords:
    """Return the records of a file's text.

    Raises:
        ValueError: it is none.
    """
    try:
        return PullRecords(
            {
                str(image): {
                    str(repository): Access(bool(a["open"]), tuple(a["secrets"]), tuple(a["hashes"]))
                    for repository, a in repositories.items()
                }
                for image, repositories in json.loads(text)["images"].items()
            }
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no records of pulls: {error}") from error


def _appended(items: tuple[str, ...], item: str) -> tuple[str, ...]:
    return (*(other for other in items if other != item), item)[-SECRETS_MAX:]


def _hash(credential: Credential) -> str:
    auth = credential.auth
    text = json.dumps([auth.username, auth.password, auth.identity_token])
    return hashlib.sha256(text.encode()).hexdigest()
