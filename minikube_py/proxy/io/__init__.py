"""proxy.io: the nftables applier and the proxier loop."""
