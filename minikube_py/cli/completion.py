"""`minikube-py completion bash|zsh|fish`: the shell's completion of this command line."""

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete


class OldBashComplete(BashComplete):
    """Completion that CentOS 7's bash 4.2 takes too: click's own wants 4.4, for the order of the words alone."""

    source_template = BashComplete.source_template.replace(" -o nosort", "")

    @staticmethod
    def _check_version() -> None:
        """Accept every bash."""


_SHELLS: dict[str, type[ShellComplete]] = {"bash": OldBashComplete, "zsh": ZshComplete, "fish": FishComplete}


def render_completion(root: click.Command, shell: str) -> str:
    """Return the script that teaches `shell` the words of `minikube-py`."""
    return _SHELLS[shell](root, {}, "minikube-py", "_MINIKUBE_PY_COMPLETE").source() + "\n"


@click.command()
@click.argument("shell", type=click.Choice(sorted(_SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Examples:
      source <(minikube-py completion bash)
      minikube-py completion zsh > "${fpath[1]}/_minikube-py"
      minikube-py completion fish > ~/.config/fish/completions/minikube-py.fish
    """  # noqa: D301 - click's mark against rewrapping
    click.echo(render_completion(context.find_root().command, shell), nl=False)
