"""store.io: the write-ahead log on disk and the single writer."""
