"""The data folders of an agent: for nobody else."""

from pathlib import Path

from minikube_py.agent.errors import AgentError
from minikube_py.kit.io.files import make_private_folder


def make_folders(*folders: Path) -> None:
    """Make data folders.

    Raises:
        AgentError: one cannot be made.
    """
    for folder in folders:
        try:
            make_private_folder(folder)
        except OSError as error:
            raise AgentError(
                f"cannot use the data folder {folder}: {error.strerror}; give another one with --data-dir"
            ) from error
