"""dns: cluster DNS (upstream: CoreDNS with the kubernetes plugin; specification 1.1.0)."""
