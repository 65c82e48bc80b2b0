"""doctor: could a node run on this host, and how is what stands in its way mended (upstream: kubeadm's preflight)."""
