"""kubelet.io: Docker, pod workers, probes, volumes, the node loop."""
