"""Connections that leave HTTP behind: SPDY/3.1 and WebSocket for exec, attach and port-forward.

Upstream: k8s.io/cri-streaming.

The kubelet serves them; the API server only passes their bytes on, with the same code for connections taken over.
May import api and kit. What belongs here: framing, protocol versions, and carrying bytes between a client and a
`api.streams.PodStreams`; what a container or a pod is belongs to the kubelet.
"""
