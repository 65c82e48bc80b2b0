"""Which Kubernetes this is: one constant with a matching schema; everything else derives from it."""

SERVED_MAJOR = "1"
SERVED_MINOR = "36"
GIT_VERSION = f"v{SERVED_MAJOR}.{SERVED_MINOR}.0"
"""What /version, nodeInfo.kubeletVersion and discovery say; no suffix, since clients parse it."""
