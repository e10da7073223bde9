"""Load on an address, by wrk and load.lua."""

import json
import subprocess
from dataclasses import dataclass

from bench.servers import HOST, ROOT

CONNECTIONS = 20  # as many as there are phones at the doors


@dataclass(frozen=True)
class Measured:
    """One run: accepted requests a second, and times in milliseconds. `answered` counts all requests."""

    rate: float
    p50: float
    p95: float
    p99: float
    longest: float
    refused: int
    lost: int
    answered: int


def put_load(
    address: str, seconds: int, *arguments: str, connections: int = CONNECTIONS
) -> Measured:
    """Send one kind of request (the first of `arguments`) for so many seconds."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    command += ["-H", f"Host: {HOST}"]
    command += ["-s", str(ROOT / "bench" / "load.lua"), address, "--", *arguments]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    result = json.loads(output.split("RESULT ")[1])
    accepted = result["requests"] - result["refused"]
    if not accepted:
        raise SystemExit(f"bench: no request to {address} was accepted: {result}")
    return Measured(
        accepted / result["seconds"],
        result["p50"],
        result["p95"],
        result["p99"],
        result["longest"],
        result["refused"],
        result["lost"],
        answered=result["requests"],
    )
