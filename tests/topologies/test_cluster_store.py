"""The store over a cluster, underneath the bus: maps that nodes tell, many watched keys, two buses side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

import pytest
from redis.crc import key_slot

from bus import Settings, connect
from bus.store.cluster_map import reachable, slot_map
from tests.contract.stores import COUNT, Ears, opened
from tests.fleets import Cluster, cluster
from tests.topologies.conftest import AT_ONCE, LONG, PROMPTLY, handed_over, parked, said, somebody

pytestmark = pytest.mark.anyio
WATCHED = 5000


@pytest.fixture(scope="module")
def three() -> Generator[Cluster]:
    with cluster() as found:
        yield found


async def test_what_is_not_there_yet_is_made_where_its_slot_is_going(three: Cluster) -> None:
    """ASK: a command, and a script the other node has never seen, go there, once each; what is here still is found here."""
    async with opened(three.url) as store:
        await store.command("SET", "t:{asked}:old", "x")
        owner = three.owner("t:{asked}")
        target = next(each for each in three.primaries if each is not owner)
        loop, before = asyncio.get_running_loop(), said(owner, "ASK")

        async def meanwhile() -> list[Any]:
            counted = [await store.run(COUNT, ["t:{asked}:n"], []) for _ in range(3)]
            return [*counted, await store.command("INCR", "t:{asked}:m"), await store.command("GET", "t:{asked}:old")]

        answers: list[Any] = []

        def half_way() -> None:
            answers.extend(asyncio.run_coroutine_threadsafe(meanwhile(), loop).result(PROMPTLY))

        await asyncio.to_thread(three.move_slot, key_slot(b"t:{asked}"), owner, target, half_way=half_way)
        assert answers == [1, 2, 3, 1, "x"]
        assert said(owner, "ASK") == before + 4
        assert await store.command("GET", "t:{asked}:n") == "3"


async def test_five_thousand_watched_keys_move_with_their_slot(three: Cluster) -> None:
    """Each is told of once it is watched at its new place, and keys elsewhere are left in peace."""
    ears = Ears()
    async with opened(three.url, ears) as store:
        moving = [f"t:{{many}}:result:{n}" for n in range(WATCHED)]
        staying = next(f"t:{{{n}}}" for n in range(1000) if three.owner(f"t:{{{n}}}") is three.owner("t:{many}"))
        async with asyncio.timeout(PROMPTLY):
            await asyncio.gather(*(store.notifications.watch(each) for each in (*moving, staying)))
        owner = three.owner("t:{many}")
        target = next(each for each in three.primaries if each is not owner)
        await asyncio.to_thread(three.move_slot, key_slot(b"t:{many}"), owner, target)
        await store.command("GET", "t:{many}")  # learns of it
        heard: set[str] = set()
        async with asyncio.timeout(PROMPTLY):
            while len(heard) < WATCHED:
                heard.add((await ears.next())[0])
        assert heard == set(moving)
        assert not ears.lost_track.is_set()
        await store.command("SET", moving[7], "x", "PX", 1000)
        async with asyncio.timeout(AT_ONCE):
            assert await ears.next() == (moving[7], "set")


async def test_a_key_left_while_it_moves_is_not_told_of(three: Cluster) -> None:
    """And one watched meanwhile is confirmed at its new place."""
    ears = Ears()
    async with opened(three.url, ears) as store:
        async with asyncio.timeout(PROMPTLY):
            await asyncio.gather(*(store.notifications.watch(f"t:{{left}}:{n}") for n in range(2)))
        owner = three.owner("t:{left}")
        target = next(each for each in three.primaries if each is not owner)
        await asyncio.to_thread(three.move_slot, key_slot(b"t:{left}"), owner, target)
        asked = store.command("GET", "t:{left}")
        store.notifications.unwatch("t:{left}:0")
        confirmed = store.notifications.watch("t:{left}:2")
        await asked
        async with asyncio.timeout(PROMPTLY):
            await confirmed
            assert {(await ears.next())[0] for _ in range(2)} == {"t:{left}:1", "t:{left}:2"}
            for n in range(3):
                await store.command("SET", f"t:{{left}}:{n}", "x", "PX", 1000)
            assert [(await ears.next())[0] for _ in range(2)] == ["t:{left}:1", "t:{left}:2"]
        assert ears.events.empty()


async def test_two_prefixes_are_two_buses(three: Cluster) -> None:
    """They see neither each other's channels and keys nor each other's wake-ups."""
    async with (
        connect(Settings(redis_url=three.url, prefix="one:")) as one,
        connect(Settings(redis_url=three.url, prefix="two:")) as two,
    ):
        ann, bob = await somebody(one, "ann"), await somebody(two, "bob")
        await handed_over(two, bob, bob, "work")
        waiting = asyncio.create_task(two.tasks.claim(bob, "work", wait=LONG))
        await parked(waiting, two, bob, "work", "two:{work}:stream", three.owner("two:{work}"))
        await one.tasks.post(ann, "work", "for one")
        posted = await two.tasks.post(bob, "work", "for two")
        async with asyncio.timeout(PROMPTLY):
            claim = await waiting
        assert claim is not None
        assert (claim.id, claim.content) == (posted.message.id, "for two")
        assert (await one.channels.counts(ann, "work")).waiting == 1
        assert [each.id for each in (await two.channels.list(bob)).items] == ["work"]


ASKED = ("seed", 7000)


@pytest.mark.parametrize(
    ("node", "meant"),
    [
        (["10.0.0.1", 7001, "id", []], ("10.0.0.1", 7001)),
        (["node-1.example", 7001, "id", ["ip", "10.0.0.1"]], ("node-1.example", 7001)),
        (["::1", 7001, "id"], ("::1", 7001)),
        ([None, 7001, "id", []], ("seed", 7001)),
        (["", 7001, "id"], ("seed", 7001)),
        (["?", 7001, "id", ["hostname", "x", "ip", "10.0.0.1"]], ("10.0.0.1", 7001)),
        (["?", 7001, "id", []], ("seed", 7001)),
        (["10.0.0.1", 0, "id"], None),
        (["a..b", 7001, "id"], None),
    ],
)
def test_nodes_say_in_many_ways_where_they_are(node: list[Any], meant: tuple[str, int] | None) -> None:
    """What cannot be reached owns nothing; a node without an address is where we asked."""
    found = slot_map([[0, 99, node], [200, 200, ["10.0.0.9", 1, "id"], node]], ASKED)
    assert (found.owners[0], found.owners[99], found.owners[100]) == (meant, meant, None)
    assert found.primaries == {("10.0.0.9", 1), *([meant] if meant else [])}
    assert found.replicas == frozenset()


def test_what_nobody_can_connect_to_is_not_tried() -> None:
    """A redirection to it would end the process's connections, not just this call."""
    assert not any(reachable(each) for each in (("?", 1), ("", 1), ("a", 0), ("a", 65_536), ("a" * 64, 1), ("a.", 1)))
    assert all(reachable(each) for each in (("a", 1), ("a.b", 65_535), ("::1", 6379)))
