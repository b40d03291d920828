"""Which store a URL names, and that its credentials are shown nowhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from bus.errors import StoreUnavailable
from bus.store.many_hosts import many_hosts
from bus.store.url import target
from tests.contract.stores import COUNT, LOOPS, SOON, Ears, opened
from tests.servers import server

pytestmark = pytest.mark.anyio


@pytest.fixture(params=LOOPS.values(), ids=LOOPS.keys())
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return request.param


async def test_password_and_database_of_the_url_are_used_and_the_password_is_shown_nowhere(tmp_path: Path) -> None:
    """Credentials go to the server and to nobody else, wrong ones included."""
    with server(tmp_path, "--requirepass", "s3cret/+", tcp=True) as valkey:
        url = f"redis://:s3cret%2F%2B@127.0.0.1:{valkey.port}/3"
        async with opened(url) as store:
            await store.command("SET", "here", "x")
            assert (store.where, store.look) == (
                f"redis://127.0.0.1:{valkey.port}/3",
                f"redis-cli -u redis://127.0.0.1:{valkey.port}/3",
            )
        with valkey.client(password="s3cret/+", db=3) as client:
            assert client.get("here") == "x"
        async with opened(url.replace("s3cret", "wr0ng")) as store:
            with pytest.raises(StoreUnavailable) as refused:
                await store.command("PING")
            assert "wr0ng" not in str(refused.value)
            assert "WRONGPASS" in str(refused.value) or "invalid username-password" in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://:hunter2@a,b",
        "redis+sentinel://:hunter2@a:x,b/name",
        "redis+sentinel://:hunter2@a,b/name/database",
        "redis+sentinel://:hunter2@/name",
        "redis+sentinel://a,b/name?colour=hunter2",
        "redis+cluster://:hunter2@a,b/1",
        "redis+cluster://:hunter2@a,b?db=1",
        "redis+cluster://:hunter2@[::1,b",
        "redis+cluster://:hunter2@a:0",
        "http+cluster://:hunter2@a",
        "redis+ring://:hunter2@a",
        "rediss://:hunter2@a?ssl_ca_certs=/nowhere",
        "rediss+cluster://:hunter2@a?ssl_certfile=/dev/null&ssl_keyfile=/dev/null",
        "http://:hunter2@a",
        "redis:hunter2",
        "redis://:hun#hunter2@a",
        "redis://:hunter2@a:port",
        "redis://:hunter2@a/database",
        "redis://:hunter2@a?colour=hunter2",
        "rediss://:hunter2@a?ssl_cert_reqs=hunter2",
        "redis://:hunter2@a?db=hunter2",
        "unix:///a?colour=hunter2",
        "unix://",
        "memory:hunter2",
        "",
    ],
)
async def test_a_url_that_names_no_store_is_refused_without_repeating_it(url: str) -> None:
    """A wrong URL is an error at the start, which names the setting and hides the password."""
    with pytest.raises(ValueError, match="redis_url") as refused:
        async with opened(url or "x"):
            raise AssertionError("it opened")
    assert "hunter2" not in str(refused.value)


def test_what_is_shown_of_an_address_holds_no_credentials() -> None:
    """`where` and `look` can be printed."""
    there = target("rediss://user:hunter2@cache.example:6380/2?ssl_cert_reqs=none")
    assert (there.where, there.look) == ("rediss://cache.example:6380/2", "redis-cli -u rediss://cache.example:6380/2")
    assert target("unix://u:hunter2@/run/r.sock?db=1").look == "redis-cli -s /run/r.sock -n 1"
    assert target("redis://[::1]").where == "redis://[::1]:6379/0"


def test_urls_of_many_servers_are_read_and_shown_without_credentials() -> None:
    """Each host with its port, IPv6 too; the sentinels have a login of their own."""
    url = "rediss+sentinel://user:hun%2Fter2@a,[::1]:7000/main/2?sentinel_password=hunter3&ssl_cert_reqs=none"
    hosts = many_hosts(url)
    assert (hosts.kind, hosts.service, hosts.seeds) == ("sentinel", "main", [("a", 26379), ("::1", 7000)])
    assert hosts.where == "rediss+sentinel://a:26379,[::1]:7000/main/2"
    there = hosts.data_node(("::1", 1))
    assert (there.where, there.db, there.options["password"]) == ("rediss://[::1]:1/2", 2, "hun/ter2")
    sentinel = hosts.sentinel(("a", 26379))
    assert (sentinel.db, sentinel.options["password"], sentinel.options["ssl_cert_reqs"]) == (0, "hunter3", "none")
    assert "username" not in sentinel.options
    assert not any(word in f"{hosts!r}{there!r}{sentinel!r}" for word in ("hun/ter2", "hun%2Fter2", "hunter3"))
    cluster = many_hosts("redis+cluster://:hunter2@a,b:7001")
    assert (cluster.where, cluster.seeds) == ("redis+cluster://a:6379,b:7001", [("a", 6379), ("b", 7001)])


# --- memory://


async def test_two_buses_on_one_memory_url_meet_and_other_names_do_not() -> None:
    """memory:// is one store per name and process."""
    ears = Ears()
    async with opened("memory://one", ears) as one, opened("memory://one") as same, opened("memory://other") as other:
        await asyncio.wait_for(one.notifications.watch("k"), SOON)
        assert await same.run(COUNT, ["k"], []) == 1
        assert await ears.next() == ("k", "incr")
        one.notifications.unwatch("k")
        assert await one.run(COUNT, ["k"], []) == 2
        assert await other.command("GET", "k") is None
        assert await one.command("GET", "k") == "2"
        with pytest.raises(ResponseError):
            await one.command("XADD", "k", "*", "a", "b")
        await one.command("DEL", "k")
    with pytest.raises(StoreUnavailable):
        await one.command("PING")
