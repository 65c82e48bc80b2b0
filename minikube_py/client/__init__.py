"""client: how components see the API (upstream: client-go); the same interface in process and over HTTPS."""
