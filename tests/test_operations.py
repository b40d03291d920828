"""Backup and restore as docs/operations.md tells them: what was answered before the copy is in it, and can be worked on."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bus import Bus, Caller, Settings, connect
from bus.models import State
from bus.store.embedded import stop_embedded
from tests.fleets import until
from tests.servers import Server, server

POSTS = 200


@pytest.fixture
def home() -> Iterator[Path]:
    """Short enough a path for a unix socket."""
    with tempfile.TemporaryDirectory(prefix="bcops-", dir="/tmp") as folder:
        yield Path(folder)


async def _filled(bus: Bus) -> str:
    """A key's secret; it has waiting tasks, one that is held and one that is done."""
    issued = await bus.credentials.issue("ann")
    ann = await bus.credentials.verify(issued.api_key)
    for number in range(10):
        await bus.tasks.post(ann, "writers", f"task {number}")
    done = await bus.tasks.claim(ann, "writers")
    assert done is not None
    await bus.tasks.ack(ann, done.id, claim_token=done.claim_token, result="finished before")
    assert await bus.tasks.claim(ann, "writers") is not None
    return issued.api_key


async def _is_all_there(bus: Bus, api_key: str) -> None:
    ann: Caller = await bus.credentials.verify(api_key)
    counts = await bus.channels.counts(ann, "writers")
    assert (counts.waiting, counts.in_flight, counts.done) == (8, 1, 1)
    claim = await bus.tasks.claim(ann, "writers")
    assert claim is not None
    assert claim.message.content == "task 2"
    await bus.tasks.ack(ann, claim.id, claim_token=claim.claim_token, result="finished after")
    assert (await bus.messages.get(ann, claim.id)).state is State.DONE


async def filled(settings: Settings) -> str:
    async with connect(settings) as bus:
        return await _filled(bus)


async def is_all_there(settings: Settings, api_key: str) -> None:
    async with connect(settings) as bus:
        await _is_all_there(bus, api_key)


def test_the_embedded_store_is_copied_while_it_stands_still(home: Path) -> None:
    """Its directory is all there is: the copy is another bus with the same tasks and keys."""
    api_key = asyncio.run(filled(Settings(data_dir=home / "data")))
    stop_embedded(home / "data")
    shutil.copytree(home / "data", home / "restored")
    shutil.rmtree(home / "data")
    asyncio.run(is_all_there(Settings(data_dir=home / "restored"), api_key))


def _copied_live(store: Server, to: Path) -> None:
    """The append-only file of a server that runs, with its rewriting held back meanwhile."""
    with store.client() as client:
        before = client.config_get("auto-aof-rewrite-percentage")["auto-aof-rewrite-percentage"]
        client.config_set("auto-aof-rewrite-percentage", 0)
        until(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0, "no rewrite is under way")
        shutil.copytree(store.directory / "appendonlydir", to / "appendonlydir")
        client.config_set("auto-aof-rewrite-percentage", before)


def test_the_append_only_file_is_copied_while_posts_go_on(home: Path) -> None:
    """Every post that was answered before the copy began is in it; a torn end of the file is no hindrance."""

    async def post(bus: Bus, ann: Caller, copy: Callable[[], None]) -> list[str]:
        before = [(await bus.tasks.post(ann, "busy", str(n))).message.id for n in range(POSTS)]
        more = asyncio.create_task(_go_on(bus, ann))
        try:
            await asyncio.to_thread(copy)
        finally:
            more.cancel()
        return before

    async def run(store: Server) -> list[str]:
        async with connect(Settings(redis_url=store.url)) as bus:
            ann = await bus.credentials.verify((await bus.credentials.issue("ann")).api_key)
            return await post(bus, ann, lambda: _copied_live(store, home / "copy"))

    for name in ("live", "copy"):
        (home / name).mkdir()
    with server(home / "live") as store:
        before = asyncio.run(run(store))
    with server(home / "copy") as restored, restored.client() as client:
        there = {row[0] for row in client.xrange("bc:{busy}:stream")}
    assert {message_id.split(":")[1] for message_id in before} <= there


async def _go_on(bus: Bus, ann: Caller) -> None:
    while True:
        await bus.tasks.post(ann, "busy", "meanwhile")


def test_a_snapshot_is_restored_with_the_append_only_file_off_at_first(home: Path) -> None:
    """A server that starts with an append-only file it does not have ignores a snapshot; so it is turned on afterwards."""
    for name in ("old", "new"):
        (home / name).mkdir()
    with server(home / "old") as store:
        api_key = asyncio.run(filled(Settings(redis_url=store.url)))
        with store.client() as client:
            client.save()
        shutil.copy(home / "old" / "dump.rdb", home / "new" / "dump.rdb")
    with server(home / "new", "--appendonly", "no") as restored:
        with restored.client() as client:
            client.config_set("appendonly", "yes")
            until(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0, "it is written")
        restored.kill()
        restored.start("--appendonly", "yes")
        asyncio.run(is_all_there(Settings(redis_url=restored.url), api_key))
