"""A user with no more rights than the documents name: everything works, on one server, behind a sentinel and in a cluster."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bus import Bus, Settings, connect
from bus.errors import StoreUnavailable
from bus.models import State
from tests.fleets import cluster, watched
from tests.servers import Server, server
from tests.topologies.conftest import PROMPTLY, handed_over, somebody, wakes

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[2] / "docs" / "stores.md"
PASSWORD = "s3cret/+"
LOGIN = "backchannel:s3cret%2F%2B@"
FORBIDDEN = (("KEYS", "*"), ("FLUSHALL",), ("CONFIG", "GET", "dir"), ("SET", "elsewhere", "x"), ("SUBSCRIBE", "elsewhere"))


def rule() -> list[str]:
    """The words of the ACL rule in the documents, with our password."""
    found = re.search(r"```text acl\nuser (.+)\n```", PAGE.read_text(encoding="utf-8"))
    assert found is not None
    return found.group(1).replace("PASSWORD", PASSWORD).split()


def limit(servers: Sequence[Server], *more: str) -> None:
    """Nobody but that user may do anything, over the network."""
    for each in servers:
        with each.client() as client:
            client.execute_command("ACL", "SETUSER", *rule(), *more)


@asynccontextmanager
async def two_buses(url: str, mode: str) -> AsyncGenerator[tuple[Bus, Bus]]:
    """Once each has found out how it is told of changes."""
    settings = Settings(redis_url=url.replace("://", f"://{LOGIN}"))
    async with connect(settings) as bus, connect(settings) as other:
        async with asyncio.timeout(PROMPTLY):
            while {(await each.ping()).notifications for each in (bus, other)} != {mode}:  # noqa: ASYNC110 - finding out tells no event
                await asyncio.sleep(0.01)
        yield bus, other
        assert {(await each.ping()).notifications for each in (bus, other)} == {mode}


async def every_day(bus: Bus, other: Bus, channel: str) -> None:
    """What agents do: hand over, wait, fail, answer, broadcast, search, and clear away."""
    ann, bob = await somebody(bus, "ann"), await somebody(bus, "bob")
    await handed_over(bus, ann, bob, channel)
    await wakes(bus, other, ann, bob, channel)
    posted = await bus.tasks.post(ann, channel, "@bob look", idempotency_key="once")
    claim = await bus.tasks.claim(bob, channel)
    assert claim is not None
    await bus.tasks.heartbeat(bob, claim.id, claim_token=claim.claim_token, note="half way")
    await bus.tasks.fail(bob, claim.id, claim_token=claim.claim_token, reason="no")
    assert (await bus.messages.get(ann, posted.message.id)).state is State.DELAYED
    await bus.broadcasts.broadcast(ann, f"{channel}-news", "hello")
    assert (await bus.messages.subscribe(bob, f"{channel}-news", since="0")).items
    assert {item.id for item in (await bus.channels.list(ann)).items} >= {channel, f"{channel}-news"}
    await bus.channels.delete(ann, channel)


async def test_the_documented_rights_are_enough_on_one_server_and_not_more(tmp_path: Path) -> None:
    """The rule is taken from the document. It names no other keys, channels or dangerous commands."""
    with server(tmp_path, tcp=True) as valkey:
        limit([valkey])
        async with two_buses(valkey.url, "publish") as (bus, other):
            await every_day(bus, other, "work")
        with valkey.client(username="backchannel", password=PASSWORD) as client:
            for command in FORBIDDEN:
                with pytest.raises(Exception, match=r"(?i)no permissions"):
                    client.execute_command(*command)


async def test_with_config_the_server_is_told_to_notify(tmp_path: Path) -> None:
    """The right to change one setting is the only difference."""
    with server(tmp_path, tcp=True) as valkey:
        limit([valkey], "+config|get", "+config|set")
        async with two_buses(valkey.url, "keyspace") as (bus, other):
            await every_day(bus, other, "work")


async def test_a_cluster_that_may_not_be_told_to_notify_is_waited_on_all_the_same() -> None:
    """Scripts publish, and whoever listens wakes; where notifications are on, each node is seen to send them."""
    with cluster() as fleet:
        limit(fleet.servers, "+cluster|slots", "+asking")
        async with two_buses(fleet.url, "publish") as (bus, other):
            for n in range(6):
                await every_day(bus, other, f"work-{n}")
            assert {fleet.owner(f"bc:{{work-{n}}}") for n in range(6)} == set(fleet.primaries)
        for each in fleet.servers:
            with each.client() as client:
                client.config_set("notify-keyspace-events", "K$t")
        async with two_buses(fleet.url, "keyspace") as (bus, other):
            for n in range(6):
                await every_day(bus, other, f"more-{n}")


async def test_the_documented_rights_are_enough_behind_a_sentinel() -> None:
    """ROLE is asked of the primary."""
    with watched(replicas=0, sentinels=1) as fleet:
        limit(fleet.servers, "+role")
        async with two_buses(fleet.url, "publish") as (bus, other):
            await every_day(bus, other, "work")


async def refusal(url: str) -> str:
    async with connect(Settings(redis_url=url.replace("://", "://backchannel:hunter2@"))) as bus:
        with pytest.raises(StoreUnavailable) as refused:
            await bus.ping()
        return str(refused.value)


async def test_a_wrong_password_is_told_and_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """Neither in errors nor in logs, for a fleet as for one server."""
    with watched(replicas=0, sentinels=1) as pair, cluster() as fleet:
        for each in (*pair.servers, *fleet.servers):
            with each.client() as client:
                client.execute_command("ACL", "SETUSER", "default", "off", ">other")
        for told in await asyncio.gather(refusal(pair.url), refusal(fleet.url)):
            assert "WRONGPASS" in told or "invalid username-password" in told
            assert "hunter2" not in told
    assert "hunter2" not in caplog.text
