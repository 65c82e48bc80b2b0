"""What a pod's claim leads to on this node: a path, an NFS export or a block device, or why it leads nowhere.

A claim must be bound, and its volume bound to it in return: a claim that was deleted and made again under its name
has another uid, and gets nothing. Upstream: desired_state_of_world_populator.go, volume/local, volume/hostpath,
volume/nfs.
"""

from dataclasses import dataclass

from minikube_py.api.meta import Obj, is_deleting, uid_of
from minikube_py.api.persistent_volumes import NodeFacts, fits_node, mode_of, phase_of, spec_of
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_volumes import HostPathVolume, NfsVolume, Volume, parse_nfs
from minikube_py.kubelet.volumes import VolumeError, mount_failed


@dataclass(frozen=True, slots=True)
class LocalVolume:
    """A directory or device of this node that is a PersistentVolume."""

    path: str


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """A claim as the API has it; `volume` is the one that it names."""

    claim: Obj | None
    volume: Obj | None
    node: NodeFacts


@dataclass(frozen=True, slots=True)
class BoundVolume:
    """The source behind a claim."""

    name: str
    source: HostPathVolume | LocalVolume | NfsVolume
    block: bool
    """A device, to be used as such."""
    mount_options: tuple[str, ...] = ()


def resolve_claim(pod: Pod, volume: Volume, claim_name: str, facts: ClaimFacts) -> BoundVolume:
    """Return what is behind a claim of a pod.

    Raises:
        VolumeError: the claim is not there, not bound, or its volume is not for this node; the whole event's message.
    """
    claim, found = facts.claim, facts.volume
    why = _unusable(claim, found, claim_name)
    if why or claim is None or found is None:
        raise VolumeError(not_processed(volume.name, f"{pod.namespace}/{claim_name}", why))
    name = str(found["metadata"]["name"])
    if not fits_node(found, facts.node):
        raise VolumeError(
            f'MountVolume.NodeAffinity check failed for volume "{name}" : no matching NodeSelectorTerms'
        )
    block = mode_of(found) == "Block"
    if wrong := _mode_fault(pod, volume.name, block=block):
        raise VolumeError(not_processed(volume.name, f"{pod.namespace}/{claim_name}", wrong))
    options = tuple(str(option) for option in spec_of(found).get("mountOptions") or ())
    return BoundVolume(name, _source(name, found, block=block), block, options)


def _unusable(claim: Obj | None, volume: Obj | None, claim_name: str) -> str:
    if claim is None:
        return f'failed to fetch PVC from API server: persistentvolumeclaims "{claim_name}" not found'
    if is_deleting(claim):
        return "PVC is being deleted"
    named = spec_of(claim).get("volumeName")
    if phase_of(claim) != "Bound" or not named:
        return "PVC is not bound"
    return _not_its_own(claim, volume, str(named))


def _not_its_own(claim: Obj, volume: Obj | None, named: str) -> str:
    if volume is None:
        return f'failed to fetch PV {named} from API server: persistentvolumes "{named}" not found'
    ref = spec_of(volume).get("claimRef")
    if not ref:
        return f"found PV object {named} with nil pv.Spec.ClaimRef indicating it is not yet bound to a claim"
    if ref.get("uid") != uid_of(claim):
        return (
            f"found PV object {named} with unexpected pv.Spec.ClaimRef.UID ({ref.get('uid')}) "
            f"expected {uid_of(claim)}"
        )
    return ""


def not_processed(volume: str, claim: str, why: str) -> str:
    """Return the message of the event about a claim that cannot be used."""
    return (
        f"Unable to attach or mount volumes: unmounted volumes=[{volume}], unattached volumes=[], "
        f"failed to process volumes=[{volume}]: error processing PVC {claim}: {why}"
    )


def _mode_fault(pod: Pod, volume: str, *, block: bool) -> str:
    mounted = any(m.name == volume for c in pod.all_containers for m in c.volume_mounts)
    as_device = any(d.name == volume for c in pod.all_containers for d in c.volume_devices)
    if block and mounted:
        return f"volume {volume} has volumeMode Block, but is specified in volumeMounts"
    if not block and as_device:
        return f"volume {volume} has volumeMode Filesystem, but is specified in volumeDevices"
    return ""


def _source(name: str, volume: Obj, *, block: bool) -> HostPathVolume | LocalVolume | NfsVolume:
    spec = spec_of(volume)
    if (local := spec.get("local")) is not None:
        return LocalVolume(str(local["path"]))
    if (host := spec.get("hostPath")) is not None and not block:
        return HostPathVolume(str(host["path"]), str(host.get("type") or ""))
    if (nfs := spec.get("nfs")) is not None and not block:
        return parse_nfs(nfs)
    kind = next((key for key in sorted(spec) if isinstance(spec[key], dict) and key in _SOURCES), "unknown")
    what = f"{kind} as a block device" if block else kind
    raise VolumeError(mount_failed(name, f"volumes of kind {what} are not served by this kubelet"))


_SOURCES = frozenset(
    {
        "awsElasticBlockStore",
        "azureDisk",
        "azureFile",
        "cephfs",
        "cinder",
        "csi",
        "fc",
        "flexVolume",
        "flocker",
        "gcePersistentDisk",
        "glusterfs",
        "hostPath",
        "iscsi",
        "nfs",
        "photonPersistentDisk",
        "portworxVolume",
        "quobyte",
        "rbd",
        "scaleIO",
        "storageos",
        "vsphereVolume",
    }
)
