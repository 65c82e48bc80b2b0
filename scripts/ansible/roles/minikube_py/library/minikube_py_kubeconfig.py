"""Adds one cluster to a kubeconfig, or takes it out; whatever has another name stays as it is.

Runs on the control host alone, so that its Python is at least 3.10 whatever the nodes have.
"""

import os
import tempfile
from typing import Any

import yaml
from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
---
module: minikube_py_kubeconfig
short_description: Adds one cluster to a kubeconfig or takes it out
description:
  - Cluster, user and context of the given name are replaced or removed; all others stay.
options:
  path:
    description: The kubeconfig.
    type: path
    required: true
  context:
    description: The name of context, cluster and user.
    type: str
    required: true
  kubeconfig:
    description: The kubeconfig with the cluster to add, as text; its first context is taken.
    type: str
  state:
    description: Whether the cluster should be in the kubeconfig.
    type: str
    choices: [present, absent]
    default: present
author:
  - the minikube_py developers
"""
Kubeconfig = dict[str, Any]
LISTS = {"clusters": "cluster", "users": "user", "contexts": "context"}


def merge(existing: Kubeconfig | None, added: Kubeconfig | None, name: str) -> Kubeconfig:
    """Return the kubeconfig `existing` with the first cluster of `added` under `name`; None takes it out."""
    merged = dict(existing or {"apiVersion": "v1", "kind": "Config", "preferences": {}})
    for key, inner in LISTS.items():
        others = [entry for entry in merged.get(key) or [] if entry["name"] != name]
        if added is not None:
            content = {"cluster": name, "user": name} if key == "contexts" else added[key][0][inner]
            others.append({"name": name, inner: content})
        merged[key] = others
    if added is not None and not merged.get("current-context"):
        merged["current-context"] = name
    if added is None and merged.get("current-context") == name:
        merged["current-context"] = ""
    return merged


def read(path: str) -> Kubeconfig | None:
    """Return the kubeconfig at `path`, None when there is none."""
    if not os.path.exists(path):
        return None
    with open(path) as file:
        content: Kubeconfig = yaml.safe_load(file)
    return content


def write(path: str, content: Kubeconfig) -> None:
    """Write a kubeconfig whole, for its owner alone."""
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(dir=folder)
    with os.fdopen(descriptor, "w") as file:
        yaml.safe_dump(content, file, sort_keys=False)
    os.rename(fresh, path)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "context": {"type": "str", "required": True},
            "kubeconfig": {"type": "str", "no_log": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ("kubeconfig",))],
        supports_check_mode=True,
    )
    path = module.params["path"]
    try:
        existing = read(path)
        present = module.params["state"] == "present"
        added = yaml.safe_load(module.params["kubeconfig"]) if present else None
        merged = merge(existing, added, module.params["context"])
    except (OSError, yaml.YAMLError, KeyError, IndexError, TypeError) as error:
        module.fail_json(msg=f"{path} is no kubeconfig that can be merged: {error!r}")
        return
    changed = merged != existing and (present or existing is not None)
    if changed and not module.check_mode:
        write(path, merged)
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
