"""minikube_py: a whole Kubernetes in one asyncio Python process per Linux host."""
