"""A volume lies in one place, which says what it must."""

import pytest

from minikube_py.api.rules.persistent_volume_sources import set_source_defaults, validate_source


def faults(spec):
    return [(fault.field, fault.reason.removeprefix("FieldValue")) for fault in validate_source(spec, "spec")]


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({}, [("spec", "Required")]),
        ({"nfs": {"server": "s", "path": "/x"}}, []),
        ({"nfs": {"server": "s", "path": "x"}}, [("spec.nfs.path", "Invalid")]),
        ({"csi": {}}, [("spec.csi.driver", "Required"), ("spec.csi.volumeHandle", "Required")]),
        ({"hostPath": {"path": "/x"}, "nfs": {"server": "s", "path": "/"}}, [("spec.nfs", "Forbidden")]),
        ({"hostPath": {"path": "/x", "type": "Tape"}}, [("spec.hostPath.type", "NotSupported")]),
        (
            {"hostPath": {"path": "/"}, "persistentVolumeReclaimPolicy": "Recycle"},
            [("spec.persistentVolumeReclaimPolicy", "Forbidden")],
        ),
        ({"local": {"path": "/x"}}, [("spec.nodeAffinity", "Required")]),
        (
            {"local": {"path": "/../x"}, "nodeAffinity": {}},
            [("spec.local.path", "Invalid"), ("spec.nodeAffinity.required.nodeSelectorTerms", "Required")],
        ),
    ],
)
def test_faults_of_a_source(spec, found):
    assert faults(spec) == found


def test_sources_get_what_they_leave_out():
    spec = {"hostPath": {"path": "/x"}, "iscsi": {}, "rbd": {"user": "me"}}
    set_source_defaults(spec)

    assert spec["hostPath"]["type"] == ""
    assert spec["iscsi"] == {"iscsiInterface": "default"}
    assert spec["rbd"] == {"user": "me", "pool": "rbd", "keyring": "/etc/ceph/keyring"}
