"""apiserver: HTTP verbs over resources over the store (upstream: kube-apiserver)."""
