import pytest

from minikube_py.api.rules.volumes import check_no_backsteps, validate_relative_path, validate_volumes

ITEM = {"key": "k", "path": "p"}


def found(**source):
    spec = {"volumes": [{"name": "v", **source}]}
    return [
        (f.field.removeprefix("s.volumes[0]"), f.reason.removeprefix("FieldValue"))
        for f in validate_volumes(spec, "s")
    ]


@pytest.mark.parametrize(
    ("source", "faults"),
    [
        ({"emptyDir": {"sizeLimit": "1Gi"}}, []),
        ({"emptyDir": {"sizeLimit": "-1"}}, [(".emptyDir.sizeLimit", "Forbidden")]),
        ({}, [("", "Required")]),
        ({"name": "A", "emptyDir": {}}, [(".name", "Invalid")]),
        ({"name": "", "emptyDir": {}}, [(".name", "Required")]),
        ({"hostPath": {"path": "/a", "type": "Directory"}}, []),
        (
            {"hostPath": {"path": "/a/../b", "type": "x"}},
            [(".hostPath.path", "Invalid"), (".hostPath.type", "NotSupported")],
        ),
        ({"hostPath": {}}, [(".hostPath.path", "Required")]),
        ({"secret": {"secretName": "s", "items": [ITEM], "defaultMode": 0o400}}, []),
        (
            {"secret": {"defaultMode": 0o1000}},
            [(".secret.secretName", "Required"), (".secret.defaultMode", "Invalid")],
        ),
        (
            {"configMap": {"name": "m", "items": [{"key": "a b", "path": "..a"}]}},
            [
                (".configMap.items[0].key", "Invalid"),
                (".configMap.items[0].path", "Invalid"),
            ],
        ),
        ({"downwardAPI": {"items": [{"path": "p"}]}}, [(".downwardAPI.items[0]", "Required")]),
        (
            {
                "downwardAPI": {
                    "items": [{"path": "p", "fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}}]
                }
            },
            [(".downwardAPI.items[0].fieldRef.fieldPath", "NotSupported")],
        ),
        (
            {"downwardAPI": {"items": [{"path": "p", "resourceFieldRef": {"resource": "limits.cpu"}}]}},
            [(".downwardAPI.items[0].resourceFieldRef.containerName", "Required")],
        ),
        ({"projected": {"sources": [{}]}}, [(".projected.sources[0]", "Required")]),
        (
            {"projected": {"sources": [{"secret": {"name": "a"}, "configMap": {"name": "a"}}]}},
            [(".projected.sources[0].configMap", "Forbidden")],
        ),
        (
            {"projected": {"sources": [{"serviceAccountToken": {"expirationSeconds": 5}}]}},
            [
                (".projected.sources[0].serviceAccountToken.expirationSeconds", "Invalid"),
                (".projected.sources[0].serviceAccountToken.path", "Required"),
            ],
        ),
        ({"nfs": {"server": "h", "path": "a"}}, [(".nfs.path", "Invalid")]),
        ({"persistentVolumeClaim": {}}, [(".persistentVolumeClaim.claimName", "Required")]),
        ({"persistentVolumeClaim": {"claimName": "A"}}, [(".persistentVolumeClaim.claimName", "Invalid")]),
        ({"csi": {}}, [(".csi.driver", "Required")]),
        ({"ephemeral": {}}, [(".ephemeral.volumeClaimTemplate", "Required")]),
        (
            {"ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
            [(".ephemeral.volumeClaimTemplate.spec.accessModes", "Required")],
        ),
        ({"image": {"reference": "a"}}, []),
    ],
    ids=str,
)
def test_each_fault_names_its_field(source, faults):
    assert found(**source) == faults


def test_paths_stay_below_where_they_start():
    assert not list(validate_relative_path("a/b..c", "p"))
    assert len(list(validate_relative_path("/a/../b", "p"))) == 2
    assert len(list(check_no_backsteps("..", "p"))) == 1
