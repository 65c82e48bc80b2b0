"""dns.io: UDP and TCP servers and the forwarder."""
