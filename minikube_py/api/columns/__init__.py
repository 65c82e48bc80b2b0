"""columns: what `kubectl get` prints; a module for each API group (upstream: printers/internalversion)."""
