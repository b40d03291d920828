"""BACKCHANNEL_DURABILITY=replicated: a post or an ack is answered when replicas have it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from bus import Bus, Caller, Settings, connect
from bus.errors import Unconfirmed
from bus.models import State
from bus.store import open_store
from tests.fleets import until
from tests.servers import Server, server

pytestmark = pytest.mark.anyio
PATIENT, HURRIED = 3.0, 0.2


@pytest.fixture(scope="module")
def replicated(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Server, Server]]:
    """A primary and its replica."""
    with server(tmp_path_factory.mktemp("primary"), tcp=True) as primary:
        follow = f"127.0.0.1 {primary.port}"
        with server(tmp_path_factory.mktemp("replica"), "--replicaof", follow, tcp=True) as replica:
            until(lambda: linked(replica), "the replica is up to date")
            yield primary, replica


def linked(replica: Server) -> bool:
    with replica.client() as client:
        info: Any = client.info("replication")
    return info["role"] == "slave" and info["master_link_status"] == "up" and not info["master_sync_in_progress"]


def settings(primary: Server, timeout: float, **more: Any) -> Settings:
    return Settings(redis_url=primary.url, durability="replicated", durability_timeout=timeout, **more)


@asynccontextmanager
async def opened(primary: Server, timeout: float = PATIENT) -> AsyncGenerator[tuple[Bus, Caller]]:
    async with connect(settings(primary, timeout)) as bus:
        issued = await bus.admin.issue_key("ann" + Path(primary.socket).parent.name + str(id(bus)))
        yield bus, await bus.credentials.verify(issued.api_key)


async def test_what_is_answered_the_replica_has(replicated: tuple[Server, Server]) -> None:
    """The moment that the answer is here, it is there: the post, and the outcome of an ack."""
    primary, replica = replicated
    async with opened(primary) as (bus, ann):
        for number in range(20):
            message = (await bus.tasks.post(ann, "answered", str(number))).message
            with replica.client() as client:
                assert client.xrange("bc:{answered}:stream", message.id.split(":")[1], message.id.split(":")[1])
        claim = await bus.tasks.claim(ann, "answered")
        assert claim is not None
        await bus.tasks.ack(ann, claim.id, claim_token=claim.claim_token, result="done")
        with replica.client() as client:
            assert client.exists(f"bc:{{answered}}:result:{claim.id.split(':')[1]}")


async def test_without_its_replica_a_post_is_unconfirmed_and_there(replicated: tuple[Server, Server]) -> None:
    """The answer says that it is kept and not safe; repeating it under its idempotency key confirms it, once."""
    primary, replica = replicated
    async with opened(primary) as (bus, ann), opened(primary, HURRIED) as (hurried, _), opened(primary, HURRIED) as (other, _):
        await bus.tasks.post(ann, "paused", "before")
        replica.pause()
        try:
            # A repeat writes nothing, and is as unsafe as what it repeats; also on a connection that has written nothing.
            for each in (hurried, hurried, other):
                with pytest.raises(Unconfirmed, match=r"kept here.*0 did within 0\.2 s"):
                    await each.tasks.post(ann, "paused", "now", idempotency_key="k")
            assert (await bus.channels.counts(ann, "paused")).waiting == 2
        finally:
            replica.resume()
        again = await bus.tasks.post(ann, "paused", "now", idempotency_key="k")
        assert again.replayed
        assert (await bus.channels.counts(ann, "paused")).waiting == 2


async def test_an_ack_is_unconfirmed_and_repeated(replicated: tuple[Server, Server]) -> None:
    """The outcome stands; its holder repeats the ack until it is safe."""
    primary, replica = replicated
    async with opened(primary) as (bus, ann), opened(primary, HURRIED) as (hurried, _):
        posted = await bus.tasks.post(ann, "acked", "do it")
        claim = await bus.tasks.claim(ann, "acked")
        assert claim is not None
        replica.pause()
        try:
            with pytest.raises(Unconfirmed):
                await hurried.tasks.ack(ann, claim.id, claim_token=claim.claim_token, result=1)
            assert (await bus.messages.get(ann, posted.message.id)).state is State.DONE
        finally:
            replica.resume()
        assert (await bus.tasks.ack(ann, claim.id, claim_token=claim.claim_token, result=1)).repeated


async def test_everything_else_goes_on_meanwhile(replicated: tuple[Server, Server]) -> None:
    """Only who waits for the replica waits: reading and claiming are answered at once."""
    primary, replica = replicated
    async with opened(primary) as (bus, ann):
        await bus.tasks.post(ann, "others", "one")
        await bus.tasks.post(ann, "elsewhere", "quick")
        replica.pause()
        try:
            post = asyncio.create_task(bus.tasks.post(ann, "elsewhere", "slow"))
            while (await bus.channels.counts(ann, "elsewhere")).waiting == 1:
                pass
            assert await bus.tasks.claim(ann, "others") is not None
            assert not post.done()
            replica.resume()
            assert (await post).message.content == "slow"
        finally:
            replica.resume()


async def test_many_posts_share_a_confirmation(replicated: tuple[Server, Server]) -> None:
    """None is answered by a confirmation that was asked for before it was written; a cancelled one harms no other."""
    primary, replica = replicated
    async with opened(primary) as (bus, ann):
        await bus.tasks.post(ann, "many", "first")
        tasks = [asyncio.create_task(bus.tasks.post(ann, "many", str(n))) for n in range(200)]
        tasks[17].cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        ids = [each.message.id.split(":")[1] for each in found if not isinstance(each, BaseException)]
        assert len(ids) == 199
        with replica.client() as client:
            there = {row[0] for row in client.xrange("bc:{many}:stream")}
        assert set(ids) <= there


async def test_over_http_it_is_503_with_when_to_come_back(replicated: tuple[Server, Server]) -> None:
    """The code is `unconfirmed`, the message is there."""
    primary, replica = replicated
    app = create_app(settings(primary, HURRIED, rate_limit=0, key_mint_limit=0))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            minted = (await http.post("/v1/keys", json={"agent_label": "bob"})).json()
            headers = {"X-API-Key": minted["key"], "Idempotency-Key": "k"}
            replica.pause()
            try:
                refused = await http.post("/v1/tasks/post", json={"channel": "http", "content": "x"}, headers=headers)
            finally:
                replica.resume()
            assert (refused.status_code, refused.json()["error"]) == (503, "unconfirmed")
            assert refused.headers["Retry-After"] == "1"
            async with asyncio.timeout(PATIENT):
                while (await http.post("/v1/tasks/post", json={"channel": "http", "content": "x"}, headers=headers)).is_error:
                    pass


@pytest.mark.parametrize(("less", "said"), [("", None), ("-wait", "refuses WAIT"), ("-publish", "refuses PUBLISH")])
async def test_the_documented_rights_are_enough_for_it(replicated: tuple[Server, Server], less: str, said: str | None) -> None:
    """With fewer nothing passes for confirmed that is not."""
    primary, _ = replicated
    rule = "on >pw resetkeys ~bc:* resetchannels &__keyspace@0__:bc:* -@all +@read +@write +@connection -@dangerous"
    more = "+eval +evalsha +subscribe +unsubscribe +publish +time +info +wait"
    with primary.client() as client:
        client.execute_command("ACL", "SETUSER", "app", *rule.split(), *more.split(), *less.split())
    url = f"redis://app:pw@127.0.0.1:{primary.port}/0"
    async with opened(primary) as (_, ann), connect(settings(primary, PATIENT).model_copy(update={"redis_url": url})) as bus:
        if said is None:
            assert (await bus.tasks.post(ann, "rights", "x")).message.id
        else:
            with pytest.raises(Unconfirmed, match=said):
                await bus.tasks.post(ann, "rights", "x")


async def test_a_primary_that_dies_in_between_leaves_no_answer(tmp_path: Path) -> None:
    """Written, not confirmed, and the connection is gone: the next connection cannot vouch for it."""
    with server(tmp_path, tcp=True) as primary:
        async with opened(primary, HURRIED) as (hurried, _), opened(primary) as (bus, ann):
            with pytest.raises(Unconfirmed):
                await hurried.tasks.post(ann, "alone", "no replica at all")
            post = asyncio.create_task(bus.tasks.post(ann, "alone", "then it dies"))
            while (await bus.channels.counts(ann, "alone")).waiting == 1:
                pass
            primary.kill()
            with pytest.raises(Unconfirmed, match="connection was lost"):
                await post


@pytest.mark.parametrize("url", [None, "memory://", "redis+cluster://127.0.0.1:1"])
async def test_a_store_without_replicas_to_wait_for_is_refused(tmp_path: Path, url: str | None) -> None:
    """A promise that cannot be kept is not made."""
    asked = Settings(redis_url=url, data_dir=tmp_path, durability="replicated")
    with pytest.raises(ValueError, match="durability: replicated needs"):
        async with open_store(asked, lambda *_: None, lambda: None):
            pass
