"""Printing data: as a table for people, as JSON for programs (`-o json`)."""

from collections.abc import Callable, Sequence
from typing import Any

import click
import orjson

output_option: Callable[[Callable[..., None]], Callable[..., None]] = click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)


def print_json(data: object) -> None:
    """Print as indented JSON."""
    click.echo(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())


def steps_printer(output: str) -> Callable[[str], None]:
    """Return what prints a command's steps as they are done: nothing when the result is to be JSON."""
    return click.echo if output == "text" else lambda line: None


def print_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print columns as kubectl does: upper-case header, three spaces between."""
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        click.echo("   ".join(cells).rstrip())
