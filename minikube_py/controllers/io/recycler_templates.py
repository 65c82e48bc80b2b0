"""Reads the pods that empty volumes of the policy Recycle from the files that the operator names.

A template whose mistakes showed only when a volume is released would be found too late: what is not a pod with a
volume and a container stops the start. Upstream: volume/util LoadPodFromFile, volume.ValidateRecyclerPodTemplate.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from minikube_py.controllers.config import ControllersConfig
from minikube_py.kit.errors import UserError


def with_recycler_templates(config: ControllersConfig) -> ControllersConfig:
    """Return the settings with what the files of templates hold.

    Raises:
        UserError: a file cannot be read, or is no template.
    """
    paths = {
        "hostPath": config.pv_recycler_pod_template_filepath_hostpath,
        "nfs": config.pv_recycler_pod_template_filepath_nfs,
    }
    return replace(config, recycler_templates={source: _read(path) for source, path in paths.items() if path})


def _read(path: str) -> Mapping[str, Any]:
    try:
        pod = yaml.safe_load(Path(path).read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"{path}: the template of recycler pods cannot be read: {error}") from error
    if not isinstance(pod, dict) or pod.get("kind") != "Pod" or not isinstance(pod.get("spec"), dict):
        raise UserError(f"{path}: the template of recycler pods is no Pod")
    for field in ("volumes", "containers"):
        found = pod["spec"].get(field)
        if not isinstance(found, list) or not found or not isinstance(found[0], dict) or not found[0].get("name"):
            raise UserError(f"{path}: the template of recycler pods has no spec.{field} with a name")
    return pod
