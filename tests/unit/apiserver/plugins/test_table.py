from minikube_py.apiserver.plugins.table import ORDER, PLUGINS, plugins_at


def test_plug_ins_are_asked_in_upstreams_order():
    assert {plugin.name for plugin in PLUGINS} == set(ORDER)
    names = [plugin.name for plugin in plugins_at("pods", "CREATE")]
    assert names == [
        "NamespaceLifecycle",
        "Priority",
        "DefaultTolerationSeconds",
        "RuntimeClass",
        "PodTopologyLabels",
    ]


def test_most_places_have_only_the_namespaces_lifecycle():
    assert [plugin.name for plugin in plugins_at("configmaps", "CREATE")] == ["NamespaceLifecycle"]
    assert plugins_at("configmaps", "UPDATE") == ()
    assert plugins_at("pods/exec", "CONNECT") == ()
