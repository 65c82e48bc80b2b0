from minikube_py.kubelet.registries import parse_registries
from minikube_py.kubelet.registry_certificates import (
    MARK,
    CertificateFolder,
    CertificatePlan,
    certificate_sources,
    engine_certificate_faults,
    plan_certificates,
)

ME, OTHER = "/var/lib/me", "/var/lib/other"
FILE = {
    "configs": {
        "m.example:5000": {"tls": {"ca_file": "/ca.pem", "cert_file": "/c.pem", "key_file": "/k.pem"}},
        "docker.io": {"tls": {"ca_file": "/ca.pem"}},
        "plain.example": {"auth": {"username": "u"}},
    }
}


def test_a_new_folder_gets_its_mark_first():
    plan = plan_certificates({"m": {"ca.crt": b"CA", "client.key": b"K"}}, {}, ME)

    assert plan.writes == ((f"m/{MARK}", ME.encode()), ("m/ca.crt", b"CA"), ("m/client.key", b"K"))
    assert (plan.removals, plan.faults) == ((), ())


def test_only_what_changed_is_written_and_what_is_wanted_no_more_goes():
    found = {"m": CertificateFolder(ME, {"ca.crt": b"CA", "client.key": b"old", "client.cert": b"C"})}
    plan = plan_certificates({"m": {"ca.crt": b"CA", "client.key": b"K"}}, found, ME)

    assert plan == CertificatePlan((("m/client.key", b"K"),), ("m/client.cert",))


def test_a_folder_of_ours_that_nothing_asks_for_goes_and_no_other_one():
    found = {host: CertificateFolder(owner, {"ca.crt": b"x"}) for host, owner in (("a", ME), ("b", OTHER), ("c", ""))}

    assert plan_certificates({}, found, ME).removals == ("a/ca.crt", f"a/{MARK}", "a")


def test_a_folder_of_somebody_else_is_not_touched_and_told_of_when_it_differs():
    found = {"a": CertificateFolder("", {"ca.crt": b"x"}), "b": CertificateFolder(OTHER, {"ca.crt": b"CA"})}
    plan = plan_certificates({host: {"ca.crt": b"CA"} for host in ("a", "b")}, found, ME)

    assert (plan.writes, plan.removals) == ((), ())
    assert plan.faults == ("a: its folder of certificates is somebody else's and has other files: remove it",)


def test_files_are_called_as_docker_wants_them():
    assert certificate_sources(parse_registries(FILE)) == {
        "m.example:5000": {"ca.crt": "/ca.pem", "client.cert": "/c.pem", "client.key": "/k.pem"}
    }


def test_what_no_folder_helps_for_is_refused():
    registries = parse_registries(FILE)
    hub = "docker.io: Docker takes no TLS files for Docker Hub"

    assert engine_certificate_faults(registries, "unix:///var/run/docker.sock") == (hub,)
    (first, remote) = engine_certificate_faults(registries, "tcp://10.0.0.9:2376")
    assert first == hub
    assert remote.startswith("m.example:5000 has TLS files, which this agent cannot put onto the engine's machine")
