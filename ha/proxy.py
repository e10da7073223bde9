"""HAProxy before the cluster, with the configuration of docker/ha/haproxy.cfg."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ha.cluster import Cluster
from tests.support.processes import Program, free_port


@contextmanager
def proxy(cluster: Cluster, templates: Path, log: Path) -> Iterator[str]:
    """Run it on the clients' side; gives its address, behind which is the primary."""
    address = f"127.0.0.1:{free_port()}"
    nodes = {name.upper(): node.address("clients") for name, node in cluster.nodes.items()}
    haproxy: list[str | Path] = [
        shutil.which("haproxy") or "haproxy",
        "-f",
        templates / "haproxy.cfg",
    ]
    with Program(haproxy, {**nodes, "BIND": address}, log):
        yield address
