"""kubelet: pods of this node on Docker (upstream: kubelet with dockershim)."""
