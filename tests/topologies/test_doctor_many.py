"""`backchannel doctor` over many servers: each one is looked at, and what only all of them together can tell."""

from __future__ import annotations

import asyncio

from bus import Settings
from bus.doctor import Finding, Level, examine
from tests.fleets import Cluster, Watched, until
from tests.servers import free_port


def examined(url: str) -> list[Finding]:
    async def all_of_them() -> list[Finding]:
        return [each async for each in examine(Settings(redis_url=url, port=free_port()))]

    return asyncio.run(all_of_them())


def of(findings: list[Finding], check: str) -> list[Finding]:
    return [each for each in findings if each.check == check]


def test_each_sentinel_and_the_primary_are_looked_at(pair: Watched) -> None:
    """The quorum is known, and one sentinel that is away is a warning, none at all a failure."""
    found = examined(pair.url)
    assert [each.level for each in of(found, "sentinel")] == [Level.OK] * 3
    assert str(pair.primary().port) in of(found, "primary")[0].said
    assert [each.level for each in of(found, "schema")] == [Level.OK]
    assert [each.level for each in of(found, "replication")] == [Level.WARN]
    pair.sentinels[2].kill()
    found = examined(pair.url)
    assert [each.level for each in of(found, "sentinel")][2] is Level.WARN
    assert of(found, "primary")[0].level is Level.OK
    pair.sentinels[2].start()
    lone = examined(f"redis+sentinel://127.0.0.1:{free_port()}/mymaster")
    assert of(lone, "primary")[0].level is Level.FAIL


def test_a_lost_quorum_is_a_failure(pair: Watched) -> None:
    """The store works on, and nobody takes over when its primary goes: nothing else would tell."""
    until(lambda: all(each.level is Level.OK for each in of(examined(pair.url), "sentinel")), "all three are there")
    for sentinel in pair.sentinels[1:]:
        sentinel.pause()
    try:
        until(
            lambda: (
                of(examined(pair.url.replace(f",127.0.0.1:{pair.sentinels[1].port}", "")), "sentinel")[0].level is Level.FAIL
            ),
            "it",
        )
    finally:
        for sentinel in pair.sentinels[1:]:
            sentinel.resume()


def test_each_node_of_a_cluster_is_looked_at(fleet: Cluster) -> None:
    """Primaries and replicas, named by their addresses; slots that nobody serves are a failure."""
    nodes = {f"127.0.0.1:{server.port}" for server in fleet.servers}
    for primary in fleet.primaries:
        with primary.client() as client:  # a replica that was sent nothing yet is not told of
            client.execute_command("PUBLISH", "t:nothing", "")
    until(lambda: {each.where for each in of(examined(fleet.url), "version")} == nodes, "every node is looked at")
    found = examined(fleet.url)
    assert [each.level for each in of(found, "cluster")] == [Level.OK]
    assert len(of(found, "schema")) == 1
    assert {each.level for each in of(found, "eviction policy")} == {Level.OK}
    first = fleet.primaries[0]
    with first.client() as client:
        client.execute_command("CLUSTER", "DELSLOTS", 0)
        try:
            assert of(examined(f"redis+cluster://127.0.0.1:{first.port}"), "cluster")[0].level is Level.FAIL
        finally:
            client.execute_command("CLUSTER", "ADDSLOTS", 0)
    until(fleet.well, "the cluster is well again")
