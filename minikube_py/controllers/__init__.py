"""controllers: pure reconcile functions, one for each controller (upstream: kube-controller-manager)."""
