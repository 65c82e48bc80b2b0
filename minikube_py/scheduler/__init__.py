"""scheduler: which node a pod goes to (upstream: kube-scheduler)."""
