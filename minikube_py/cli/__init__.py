"""cli: the commands of minikube-py, one module each; no logic."""
