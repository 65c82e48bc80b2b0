"""apiserver.io: HTTPS, watch streams, WebSocket and SPDY, certificates on disk."""
