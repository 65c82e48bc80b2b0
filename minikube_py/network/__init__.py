"""network: bridge, addresses and routes of this node's pods (upstream: CNI bridge and host-local IPAM)."""
