"""store: revisioned keys with compare-and-swap and ordered watches (upstream: etcd3 storage and mvcc)."""
