"""What every benchmark hands in: rows with a figure, what it is compared with, and the aim."""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of a benchmark, over its tries."""

    name: str
    unit: str
    tries: tuple[float, ...]
    compared_with: str = ""
    ratio: float | None = None
    """This figure's median over the other's, within the same run."""
    aim: str = ""
    note: str = ""

    @property
    def median(self) -> float:
        """Return the median of the tries."""
        return statistics.median(self.tries)


def print_rows(name: str, rows: Sequence[Row]) -> None:
    """Print the table of one benchmark."""
    header = ("figure", "min", "median", "max", "unit", "ratio", "compared with", "aim", "note")
    lines = [header]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        figures = (f"{min(row.tries):.3g}", f"{row.median:.3g}", f"{max(row.tries):.3g}")
        lines.append((row.name, *figures, row.unit, ratio, row.compared_with, row.aim, row.note))
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    print(f"== {name} ({len(rows[0].tries)} tries)")  # noqa: T201 - a benchmark's output
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())  # noqa: T201


def write_json(folder: Path, name: str, rows: Sequence[Row]) -> Path:
    """Write the benchmark's figures with the machine and the revision beside them; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    revision = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    content = {
        "benchmark": name,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": revision,
        "machine": {
            "cpus": os.cpu_count(),
            "kernel": platform.release(),
            "python": platform.python_version(),
            "load": os.getloadavg(),
        },
        "rows": [{**asdict(row), "median": row.median} for row in rows],
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content, indent=2))
    return path
