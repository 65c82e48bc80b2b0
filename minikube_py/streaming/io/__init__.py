"""streaming.io: SPDY and WebSocket connections of exec, attach and port-forward, and where HTTP listens."""
