"""The kubeconfig that lets kubectl in (upstream: clientcmd api/v1 Config)."""

from base64 import b64encode

from minikube_py.api.meta import Obj

NAME = "minikube-py"
"""The name of the cluster, the user and the context in it."""


def kubeconfig(server_url: str, ca_pem: bytes, certificate_pem: bytes, key_pem: bytes) -> Obj:
    """Return a kubeconfig with everything inside, so that the one file can be copied to another host."""

    def encoded(pem: bytes) -> str:
        return b64encode(pem).decode()

    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": NAME, "cluster": {"server": server_url, "certificate-authority-data": encoded(ca_pem)}}
        ],
        "users": [
            {
                "name": NAME,
                "user": {
                    "client-certificate-data": encoded(certificate_pem),
                    "client-key-data": encoded(key_pem),
                },
            }
        ],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "current-context": NAME,
        "preferences": {},
    }
