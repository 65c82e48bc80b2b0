from minikube_py.kubelet.metric_text import Family, Sample, render_families


def test_a_family_is_written_with_its_help_its_type_and_a_line_for_each_sample():
    family = Family(
        "m_total", "What it counts", "counter", [Sample({"a": "x", "b": "y"}, 1.5, 12.3456), Sample({}, 3)]
    )

    assert render_families([family]) == (
        '# HELP m_total What it counts\n# TYPE m_total counter\nm_total{a="x",b="y"} 1.5 12346\nm_total 3\n'
    )


def test_a_family_without_samples_is_left_out():
    assert render_families([Family("m", "h", "gauge", [])]) == ""


def test_label_values_are_escaped():
    text = render_families([Family("m", "h", "gauge", [Sample({"a": 'a"b\\c\nd'}, 0)])])

    assert text.endswith('m{a="a\\"b\\\\c\\nd"} 0\n')
