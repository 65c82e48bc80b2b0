"""The program as a service of a host: what `install` puts where, and the proof that `uninstall` leaves nothing."""
