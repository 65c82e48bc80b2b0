"""What this host is called and which address it uses towards others."""

import socket


def host_name() -> str:
    """Return the host's name, lower case, as a node is named by default."""
    return socket.gethostname().lower()


def default_route_ip() -> str:
    """Return the source address of the default route, or an empty string when there is none; sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # 192.0.2.0/24 is reserved for documentation: only the routing table is asked.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        address: str = probe.getsockname()[0]
        return address
