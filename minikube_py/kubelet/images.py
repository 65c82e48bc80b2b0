"""Image names and when to pull: pull policy, reference syntax, pull back-off, and the words of events and statuses.

Upstream: kubelet/images image_manager.go, distribution/reference. A pull that failed is tried again after 10 s, 20 s,
... 5 min, for each image and pod; meanwhile the container waits in ImagePullBackOff.
"""

import re
from collections.abc import Mapping, Sequence
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
_SPECIAL_FAILURES: Mapping[str, str] = {
    "RegistryUnavailable": "image pull failed for {image} because the registry is unavailable",
    "SignatureValidationFailed": "image pull failed for {image} because the signature validation failed",
}
"""What a runtime's message begins with when it says more than that the pull failed."""
_IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ImageName:
    """A parsed reference; `text` is what the runtime is asked for (a tag is always there, unless a digest is)."""

    text: str
    tag: str
    digest: str
    repository: str = ""
    """Registry and path, with Docker's defaults: `HUB` and `library` where none is named; empty for an image's id."""


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
        remote = _normalized(text).partition("/")[2].partition(":")[0]
        if remote != remote.lower():
            detail += f": repository name ({remote}) must be lowercase"
        raise InvalidImageNameError(
            f'Failed to apply default image tag "{text}": couldn\'t parse image name "{text}": {detail}'
        )
    tag, digest = match.group("tag") or "", match.group("digest") or ""
    repository = _normalized(text[: match.end("path")])
    if tag or digest:
        return ImageName(text, tag, digest, repository)
    return ImageName(f"{text}:latest", "latest", "", repository)


def _normalized(repository: str) -> str:
    domain, slash, path = repository.partition("/")
    # A first part that cannot be a host is a user of Docker Hub.
    if not slash or not (set(".:") & set(domain) or domain == "localhost" or domain != domain.lower()):
        domain, path = "docker.io", repository
    if domain in ("docker.io", "index.docker.io"):
        domain, path = "docker.io", path if "/" in path else f"library/{path}"
    return f"{domain}/{path}"


@dataclass(frozen=True, slots=True)
class ImageWanted:
    """An image that a pod needs: a container's, or a volume's."""

    image: str
    pull_policy: str
    field_path: str = ""
    """The container that events are about; empty for a volume."""


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


def pulled_message(image: str, pull_s: float, waiting_s: float, size_bytes: int) -> str:
    """Return the Pulled event of an image that was just pulled; `waiting_s` includes the wait for its turn."""
    took, whole = go_duration(pull_s), go_duration(waiting_s)
    return (
        f'Successfully pulled image "{image}" in {took} ({whole} including waiting). Image size: {size_bytes} bytes.'
    )


def go_duration(seconds: float) -> str:
    """Return a duration, cut to milliseconds, as Go prints it: `85ms`, `1.2s`, `2m0.5s`, `0s`."""
    milliseconds = int(seconds * 1000 + 1e-6)
    if 0 < milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    shown = f"{rest // 1000}.{rest % 1000:03d}".rstrip("0").rstrip(".") + "s"
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{shown}"
    return f"{minutes}m{shown}" if minutes else shown


def pull_failure(image: str, message: str) -> tuple[str, str]:
    """Return the waiting reason and message of a pull that failed (upstream: evalCRIPullErr)."""
    for reason, words in _SPECIAL_FAILURES.items():
        if message.startswith(reason):
            return reason, words.format(image=image) + message.removeprefix(reason)
    return "ErrImagePull", message


def joined_errors(messages: Sequence[str]) -> str:
    """Return the messages of several tries as upstream joins them."""
    distinct = list(dict.fromkeys(messages))
    return distinct[0] if len(distinct) == 1 else f"[{', '.join(distinct)}]"


def back_off_pull_message(image: str, last_error: str) -> str:
    """Return the message of ImagePullBackOff; `last_error` is `REASON: MESSAGE` of the last try."""
    text = f'Back-off pulling image "{image}"'
    return f"{text}: {last_error}" if last_error else text


def missing_secrets_message(names: Sequence[str]) -> str:
    """Return the event that says which pull secrets are not there."""
    return (
        f"Unable to retrieve some image pull secrets ({', '.join(names)}); "
        "attempting to pull the image may not succeed."
    )
