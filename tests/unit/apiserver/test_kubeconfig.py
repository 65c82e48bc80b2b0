from base64 import b64decode

from minikube_py.apiserver.kubeconfig import kubeconfig


def test_the_current_context_leads_to_the_server_with_the_credentials():
    config = kubeconfig("https://h:6443", b"CA", b"CERT", b"KEY")

    context = next(c["context"] for c in config["contexts"] if c["name"] == config["current-context"])
    cluster = next(c["cluster"] for c in config["clusters"] if c["name"] == context["cluster"])
    user = next(u["user"] for u in config["users"] if u["name"] == context["user"])
    assert cluster["server"] == "https://h:6443"
    assert b64decode(cluster["certificate-authority-data"]) == b"CA"
    assert b64decode(user["client-certificate-data"]) == b"CERT"
    assert b64decode(user["client-key-data"]) == b"KEY"
