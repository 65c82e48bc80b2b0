"""The data folders of an agent: for nobody else, and of one agent at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minikube_py.agent.errors import AgentError
from minikube_py.config import AgentConfig
from minikube_py.kit.io.files import FolderHeldError, held_folder, make_private_folder


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


@contextmanager
def sole_agent(config: AgentConfig) -> Iterator[None]:
    """Make the folders that every agent has, and be the only agent of the data folder while the context lasts.

    Raises:
        AgentError: they cannot be made, or another agent, of whatever role, has them.
    """
    make_folders(config.data_dir, config.agent_dir)
    try:
        with held_folder(config.agent_dir):
            yield
    except FolderHeldError:
        raise AgentError(
            f"an agent runs on the data folder {config.data_dir} already: see `minikube-py status`, or give this one "
            "another --data-dir"
        ) from None
