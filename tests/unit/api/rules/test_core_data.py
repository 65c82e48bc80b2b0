import base64

import pytest

from minikube_py.api.rules.core_data import (
    CONFIG_MAP_RULES,
    DATA_BYTES_MAX,
    ENDPOINTS_RULES,
    EVENT_RULES,
    SECRET_RULES,
    SERVICE_ACCOUNT_RULES,
)


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def named(**fields):
    return {"metadata": {"name": "x"}, **fields}


def secret(kind="Opaque", **data):
    return named(type=kind, data={key: encoded(value) for key, value in data.items()})


def fields(faults):
    return [f.field for f in faults]


def test_a_config_map_holds_a_mebibyte():
    half = "x" * (DATA_BYTES_MAX // 2)
    full = named(data={"a": half}, binaryData={"b": encoded(half)})

    assert CONFIG_MAP_RULES.validate(full) == ()
    full["data"]["c"] = "x"
    assert [f.reason for f in CONFIG_MAP_RULES.validate(full)] == ["FieldValueTooLong"]


def test_keys_must_fit_file_names():
    assert fields(CONFIG_MAP_RULES.validate(named(binaryData={"a/b": ""}))) == ["binaryData[a/b]"]
    assert fields(SECRET_RULES.validate(secret(**{"a b": ""}))) == ["data[a b]"]


def test_an_immutable_config_map_stays():
    old = named(immutable=True, data={"a": "1"})

    assert CONFIG_MAP_RULES.validate_update(old, old) == ()
    assert fields(CONFIG_MAP_RULES.validate_update(named(immutable=True, data={"a": "2"}), old)) == ["data"]
    assert fields(CONFIG_MAP_RULES.validate_update(named(data={"a": "1"}), old)) == ["immutable"]
    assert CONFIG_MAP_RULES.validate_update(named(data={"a": "2"}), named(data={"a": "1"})) == ()


def test_plain_text_of_a_secret_wins_over_its_data():
    obj = named(data={"a": encoded("old"), "b": encoded("kept")}, stringData={"a": "new"})
    SECRET_RULES.set_defaults(obj)

    assert obj == named(data={"a": encoded("new"), "b": encoded("kept")}, type="Opaque")


def test_the_type_of_a_secret_stays_and_so_does_an_immutable_one():
    old = {**secret(a="1"), "immutable": True}

    assert fields(SECRET_RULES.validate_update({**secret("foo", a="1"), "immutable": True}, old)) == ["type"]
    assert fields(SECRET_RULES.validate_update({**secret(a="2"), "immutable": True}, old)) == ["data"]


@pytest.mark.parametrize(
    ("obj", "faults"),
    [
        (secret("kubernetes.io/tls", **{"tls.crt": "", "tls.key": ""}), []),
        (secret("kubernetes.io/tls"), ["data[tls.crt]", "data[tls.key]"]),
        (secret("kubernetes.io/ssh-auth"), ["data[ssh-privatekey]"]),
        (secret("kubernetes.io/basic-auth", username="u"), []),
        (secret("kubernetes.io/dockerconfigjson", **{".dockerconfigjson": '{"auths":{}}'}), []),
        (secret("kubernetes.io/dockerconfigjson", **{".dockerconfigjson": "[]"}), ["data[.dockerconfigjson]"]),
        (secret("kubernetes.io/dockercfg"), ["data[.dockercfg]"]),
        (secret("kubernetes.io/service-account-token"), ["metadata.annotations[kubernetes.io/service-account.name]"]),
        (secret("example.com/own"), []),
    ],
    ids=lambda value: str(value)[:70],
)
def test_known_types_of_secrets_need_their_keys(obj, faults):
    assert fields(SECRET_RULES.validate(obj)) == faults


def test_the_contents_of_a_secret_are_never_shown():
    (fault,) = SECRET_RULES.validate(secret("kubernetes.io/dockercfg", **{".dockercfg": "geheim"}))

    assert "geheim" not in str(fault)


@pytest.mark.parametrize(
    ("namespace", "about", "sound"),
    [("a", "a", True), ("default", "", True), ("a", "b", False), ("a", "", False)],
)
def test_an_event_lives_where_its_object_lives(namespace, about, sound):
    event = {"metadata": {"name": "e", "namespace": namespace}, "involvedObject": {"namespace": about}}

    assert (EVENT_RULES.validate(event) == ()) is sound
    assert (EVENT_RULES.validate_update(event, event) == ()) is sound


@pytest.mark.parametrize(
    ("subset", "faults"),
    [
        ({"addresses": [{"ip": "1.2.3.4"}], "ports": [{"port": 80, "protocol": "TCP"}]}, []),
        ({"ports": []}, ["subsets[0]"]),
        (
            {"notReadyAddresses": [{"ip": "::1", "hostname": "A"}]},
            [
                "subsets[0].notReadyAddresses[0].ip",
                "subsets[0].notReadyAddresses[0].hostname",
            ],
        ),
        (
            {
                "addresses": [{"ip": "1.2.3.4"}],
                "ports": [{"port": 1, "protocol": "x"}, {"name": "A", "port": 2, "protocol": "TCP"}],
            },
            ["subsets[0].ports[0].name", "subsets[0].ports[0].protocol", "subsets[0].ports[1].name"],
        ),
    ],
    ids=lambda value: str(value)[:70],
)
def test_each_fault_of_endpoints_names_its_field(subset, faults):
    assert fields(ENDPOINTS_RULES.validate(named(subsets=[subset]))) == faults


def test_a_service_account_needs_a_name_only():
    assert SERVICE_ACCOUNT_RULES.validate(named()) == ()
    assert SERVICE_ACCOUNT_RULES.validate_update(named(), named()) == ()
