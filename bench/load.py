"""Load on an address, by wrk and load.lua."""

import json
import subprocess
from dataclasses import dataclass

from bench.servers import HOST, ROOT

CONNECTIONS = 20  # as many as there are phones at the doors


@dataclass(frozen=True)
class Measured:
    """One scenario: accepted requests a second, and times in milliseconds.

    `floor` is the mean of the hello-world's rates just before and just after; `answered` counts all requests.
    """

    name: str
    rate: float
    p50: float
    p95: float
    refused: int
    lost: int
    floor: float = 0
    answered: int = 0


def put_load(address: str, name: str, seconds: int, *arguments: str) -> Measured:
    """Send one kind of request (the first of `arguments`) for so many seconds."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s"]
    command += ["-H", f"Host: {HOST}"]
    command += ["-s", str(ROOT / "bench" / "load.lua"), address, "--", *arguments]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    result = json.loads(output.split("RESULT ")[1])
    accepted = result["requests"] - result["refused"]
    return Measured(
        name,
        accepted / result["seconds"],
        result["p50"],
        result["p95"],
        result["refused"],
        result["lost"],
        answered=result["requests"],
    )
