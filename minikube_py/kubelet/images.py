"""Image names and when to pull: pull policy, reference syntax, pull back-off, and the words of events and statuses.

Upstream: kubelet/images image_manager.go, distribution/reference. A pull that failed is tried again after 10 s, 20 s,
... 5 min, for each image and pod; meanwhile the container waits in ImagePullBackOff.
"""

import re
from dataclasses import dataclass
from typing import Literal

from minikube_py.kit.backoff import BackoffPolicy

PULL_BACKOFF = BackoffPolicy(initial_s=10.0, maximum_s=300.0, reset_after_s=600.0)

PullPolicy = Literal["Always", "IfNotPresent", "Never"]

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DOMAIN = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]+)?"
_TAG = r"[\w][\w.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(
    rf"(?:(?P<domain>{_DOMAIN})/)?(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)"
    rf"(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?"
)
_IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ImageName:
    """A parsed reference; `text` is what the runtime is asked for (a tag is always there, unless a digest is)."""

    text: str
    tag: str
    digest: str


class InvalidImageNameError(ValueError):
    """The text is no image reference; the message is upstream's."""


def parse_image_name(text: str) -> ImageName:
    """Return the reference with its default tag.

    Raises:
        InvalidImageNameError: it is none.
    """
    if _IMAGE_ID.fullmatch(text):
        return ImageName(text, "", text)
    match = _REFERENCE.fullmatch(text)
    if match is None:
        detail = "invalid reference format"
        if _REFERENCE.fullmatch(text.lower()):
            detail += ": repository name must be lowercase"
        raise InvalidImageNameError(
            f'Failed to apply default image tag "{text}": couldn\'t parse image name "{text}": {detail}'
        )
    tag, digest = match.group("tag") or "", match.group("digest") or ""
    if tag or digest:
        return ImageName(text, tag, digest)
    return ImageName(f"{text}:latest", "latest", "")


def pull_policy(declared: str, name: ImageName) -> PullPolicy:
    """Return the policy: as declared, else Always for `latest`, IfNotPresent for the rest."""
    match declared:
        case "Always":
            return "Always"
        case "Never":
            return "Never"
        case "IfNotPresent":
            return "IfNotPresent"
        case _:
            return "Always" if name.tag == "latest" and not name.digest else "IfNotPresent"


def present_message(image: str) -> str:
    """Return the Pulled event of an image that is here already."""
    return f'Container image "{image}" already present on machine and can be accessed by the pod'


def never_pull_message(image: str) -> str:
    """Return the message of ErrImageNeverPull."""
    return f'Container image "{image}" is not present with pull policy of Never'


def pulled_message(image: str, seconds: float, size_bytes: int) -> str:
    """Return the Pulled event of an image that was just pulled."""
    took = f"{seconds * 1000:.0f}ms" if seconds < 1 else f"{seconds:.3f}s"
    return (
        f'Successfully pulled image "{image}" in {took} ({took} including waiting). Image size: {size_bytes} bytes.'
    )


def back_off_pull_message(image: str, last_error: str) -> str:
    """Return the message of ImagePullBackOff."""
    text = f'Back-off pulling image "{image}"'
    return f"{text}: ErrImagePull: {last_error}" if last_error else text
