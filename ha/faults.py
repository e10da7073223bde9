"""What befalls the cluster while people book, and how it is mended."""

from collections.abc import Callable

from ha.cluster import Cluster
from ha.node import Node
from tests.faults.harness.storm import Fault, Storm

_AFTER = 5  # bookings that are acknowledged before the next thing happens


def make_faults(cluster: Cluster) -> list[Fault]:
    """All of them. Each ends with a whole cluster, so that the next blow meets one."""
    return [
        Fault(
            "kill-node", "every process of the primary's machine killed (`kill -9`); the machine comes back once another"
            " is primary", _mended(cluster, _kill_node), times=5,
        ),
        Fault(
            "power-cut", "the primary's machine gone without a word, as by a power cut; it comes back",
            _mended(cluster, _cut_power),
        ),
        Fault(
            "cut-off", "the primary cut off from the other two while clients reach all three, until another is primary",
            _mended(cluster, _cut_off),
        ),
        Fault(
            "kill-database", "`kill -9` of the primary's Patroni and PostgreSQL; Patroni is started again at once",
            _mended(cluster, _kill_database),
        ),
        Fault(
            "kill-standby", "every process of the synchronous standby's machine killed; it comes back",
            _mended(cluster, _kill_standby),
        ),
        Fault("switch-over", "switched over to the standby by command", _mended(cluster, _switch_over)),
        Fault(
            "replace", "the primary's machine and its disk lost; replaced by an empty one, which is started",
            _mended(cluster, _replace),
        ),
        Fault(
            "all-down", "every process of all three machines killed at once; all are started again",
            _mended(cluster, _all_down),
        ),
    ]  # fmt: skip


def _mended(cluster: Cluster, blow: Callable[[Cluster, Storm], None]) -> Callable[[Storm], None]:
    def strike(storm: Storm) -> None:
        blow(cluster, storm)
        cluster.wait_until_whole()

    return strike


def _kill_node(cluster: Cluster, storm: Storm) -> None:
    _lose(cluster.wait_for_primary(), cluster, storm)


def _cut_power(cluster: Cluster, storm: Storm) -> None:
    primary = cluster.wait_for_primary()
    primary.pull("clients", "nodes")
    _lose(primary, cluster, storm)


def _lose(primary: Node, cluster: Cluster, storm: Storm, *, with_data: bool = False) -> None:
    """Go on without a machine, which comes back once another is the primary."""
    primary.switch_off()
    if with_data:
        primary.lose_data()
    cluster.wait_for_primary(other_than=primary)
    storm.wait_for_bookings(_AFTER)
    primary.start()


def _cut_off(cluster: Cluster, storm: Storm) -> None:
    primary = cluster.wait_for_primary()
    primary.pull("nodes")
    cluster.wait_for_primary(other_than=primary)
    storm.wait_for_bookings(_AFTER)
    primary.plug_in("nodes")


def _kill_database(cluster: Cluster, storm: Storm) -> None:
    primary = cluster.wait_for_primary()
    primary.kill_database()
    primary.start_patroni()
    storm.wait_for_bookings(_AFTER)


def _kill_standby(cluster: Cluster, storm: Storm) -> None:
    standby = cluster.standby(synchronous=True)
    standby.switch_off()
    storm.wait_for_bookings(_AFTER)
    standby.start()


def _switch_over(cluster: Cluster, storm: Storm) -> None:
    cluster.switch_over()
    storm.wait_for_bookings(_AFTER)


def _replace(cluster: Cluster, storm: Storm) -> None:
    _lose(cluster.wait_for_primary(), cluster, storm, with_data=True)


def _all_down(cluster: Cluster, storm: Storm) -> None:
    for node in cluster.nodes.values():
        node.switch_off()
    for node in cluster.nodes.values():
        node.start()
    storm.wait_for_bookings(_AFTER)
