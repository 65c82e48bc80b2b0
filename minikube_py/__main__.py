"""`minikube-py`, and `python -m minikube_py`: the door to every command."""

from minikube_py.cli.root import run


def main() -> None:
    """Run the command line."""
    run()


if __name__ == "__main__":
    main()
