"""api: Kubernetes objects as data (resource table, schema, defaults, validation, patches); knows no server."""
