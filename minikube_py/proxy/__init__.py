"""proxy: Services as kernel rules (upstream: kube-proxy, nftables mode)."""
