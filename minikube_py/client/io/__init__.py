"""client.io: transports, reflectors and informers."""
