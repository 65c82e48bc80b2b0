"""TLS settings of servers in this process: API server and kubelet let in, and ask for, the same things."""

import ssl


def server_context(client_ca_pem: bytes) -> ssl.SSLContext:
    """Return the TLS settings of a server: clients of that CA are welcome, not required.

    It has no certificate yet: each `load_cert_chain` on it gives the one that new connections see from then on.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=client_ca_pem.decode())
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    return context
