"""Runs inside a virtual machine: takes commands from a port, one at a time, and says how each ended.

A request and an answer are a line of JSON each. It needs Python's own library and nothing else.
"""

import json
import subprocess
import sys
import time
from typing import Any

ENVIRONMENT = {"HOME": "/root", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Run the program that a request names, and return how it ended and what it wrote."""
    try:
        done = subprocess.run(
            request["argv"],
            input=request["stdin"],
            stdin=subprocess.DEVNULL if request["stdin"] is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=request["timeout_s"],
            check=False,
            cwd="/root",
            env=ENVIRONMENT,
        )
    except OSError as error:
        return {"returncode": 127, "stdout": "", "stderr": str(error)}
    except subprocess.TimeoutExpired as error:
        said = [(part or b"").decode(errors="replace") for part in (error.stdout, error.stderr)]
        return {"returncode": None, "stdout": said[0], "stderr": said[1]}
    return {"returncode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


def main(port: str) -> None:
    """Answer what comes through the port, as long as the machine runs."""
    with open(port, "r+b", buffering=0) as stream:
        rest = b""
        while True:
            line, found, rest = rest.partition(b"\n")
            if not found:
                rest = line + (read := stream.read(65536) or b"")
                if not read:
                    time.sleep(0.1)  # nobody is at the other end: reading does not wait then
                continue
            said = json.dumps({**answer(request := json.loads(line)), "id": request["id"]}).encode() + b"\n"
            while said:
                said = said[stream.write(said) :]


if __name__ == "__main__":
    main(sys.argv[1])
