"""api: Kubernetes objects as data (resource table, schema, defaults, validation, patches, errors); knows no server."""
