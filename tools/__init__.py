"""tools: what makes releases; nothing of it is shipped, and nothing in minikube_py may import it."""
