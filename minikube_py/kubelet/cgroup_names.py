"""How the cgroups of pods and containers are called, for both drivers, and where they stand in a hierarchy.

cgroupfs: `/kubepods/burstable/podUID/ID`. systemd: each `-` in a slice's name is a level, so a uid's are turned into
`_`: `kubepods-burstable-podUID.slice`, which stands at
`/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID.slice`; Docker's scope in it is `docker-ID.scope`.

Upstream: kubelet cm/cgroup_manager_linux.go (ToSystemd, ToCgroupfs).
"""

TIERS = ("Guaranteed", "Burstable", "BestEffort")
CGROUPFS, SYSTEMD = "cgroupfs", "systemd"
DRIVERS = (CGROUPFS, SYSTEMD)
ALL_PODS = "kubepods"
"""What the cgroup of all pods is called in the one that it stands in."""
_SLICE = ".slice"


def _parts(root: str, tier: str) -> list[str]:
    above = [part for part in root.split("/") if part]
    return [*above, ALL_PODS, *([] if tier == "Guaranteed" else [tier.lower()])]


def _name(parts: list[str], driver: str) -> str:
    if driver == SYSTEMD:
        return "-".join(part.replace("-", "_") for part in parts) + _SLICE
    return "/" + "/".join(parts)


def tier_cgroup(tier: str, root: str, driver: str) -> str:
    """Return the cgroup that holds all pods of a QoS class; of `Guaranteed` it is that of all pods."""
    return _name(_parts(root, tier), driver)


def pod_cgroup(pod_uid: str, tier: str, root: str, driver: str) -> str:
    """Return the cgroup of a pod, as the engine takes it for CgroupParent.

    Args:
        pod_uid: the pod's uid.
        tier: its QoS class.
        root: a cgroup above `kubepods`, `/` for none.
        driver: `cgroupfs` or `systemd`, as the engine says.
    """
    return _name([*_parts(root, tier), f"pod{pod_uid}"], driver)


def is_slice(name: str) -> bool:
    """Return whether a cgroup is systemd's."""
    return name.endswith(_SLICE)


def cgroup_path(name: str) -> str:
    """Return where a cgroup stands in a hierarchy: a slice stands in those that its name begins with."""
    if not is_slice(name):
        return name
    levels = name.removesuffix(_SLICE).split("-")
    return "".join(f"/{'-'.join(levels[: i + 1])}{_SLICE}" for i in range(len(levels)))


def last_part(name: str) -> str:
    """Return what a cgroup is called in the one that it stands in: `podUID`, `kubepods`."""
    return name.removesuffix(_SLICE).rpartition("-")[2] if is_slice(name) else name.rpartition("/")[2]


def cgroup_above(name: str) -> str:
    """Return the cgroup that a cgroup stands in, empty for one that stands at the top."""
    if is_slice(name):
        above = name.removesuffix(_SLICE).rpartition("-")[0]
        return above + _SLICE if above else ""
    return name.rpartition("/")[0]


def outermost(name: str) -> str:
    """Return the cgroup that goes when one goes: with that of all pods the one above it, the agent's own."""
    return (cgroup_above(name) or name) if last_part(name) == ALL_PODS else name


def container_path(pod_cgroup_name: str, container_id: str) -> str:
    """Return where a container's own cgroup stands."""
    leaf = f"docker-{container_id}.scope" if is_slice(pod_cgroup_name) else container_id
    return f"{cgroup_path(pod_cgroup_name)}/{leaf}"
