"""columns: what `kubectl get` prints for each kind, one module for each API group (upstream: printers/internalversion)."""
