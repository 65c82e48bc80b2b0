"""Where a token is given: in a flag (or variable, or config file), or in a file that others cannot read."""

from minikube_py.agent.errors import AgentError
from minikube_py.config import AgentConfig


def read_token(config: AgentConfig) -> str:
    """Return the configured token, empty when there is none.

    Raises:
        AgentError: its file cannot be read, or is empty.
    """
    if config.token_file is None:
        return config.token
    try:
        token = config.token_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(f"--token-file {config.token_file} cannot be read: {error}") from error
    if not token:
        raise AgentError(f"--token-file {config.token_file} is empty")
    return token
