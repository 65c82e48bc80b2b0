from minikube_py.kubelet.downward import format_map


def test_labels_are_written_as_sorted_quoted_lines():
    assert format_map({"z": "1", "a": 'q"\\', "b": "x\ny"}) == 'a="q\\"\\\\"\nb="x\\ny"\nz="1"'
