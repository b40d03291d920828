"""Who a request comes from and where it was sent, with and without proxies in between."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import ValidationError
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from api.hosts import Hosts
from api.metrics import Metrics
from api.middleware import Edge
from api.seen import seen
from api.serving import serving
from bus import Settings
from bus.addresses import counted_as

from .conftest import UNLIMITED, refused

pytestmark = pytest.mark.anyio

PROXIES = "10.0.0.0/8, 192.0.2.1, fd00::/8"


async def met(*headers: tuple[str, str], peer: str = "10.0.0.1", trusted: str = PROXIES, **settings: Any) -> dict[str, Any]:
    """What the routes are told of a request that came with these headers from that peer."""

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        found = seen(scope)
        told = {"client": found.client, "https": found.https, "host": found.host, "base_url": found.base_url}
        await JSONResponse(told)(scope, receive, send)

    chosen = Settings(redis_url="memory://", trusted_proxies=trusted, **settings)
    edge = Edge(told, settings=chosen, metrics=Metrics(), routes=list)
    transport = httpx.ASGITransport(edge, client=(peer, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        return (await client.get("/", headers=list(headers))).json()


@pytest.mark.parametrize(
    ("peer", "hops", "client"),
    [
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.7, 10.9.9.9, 192.0.2.1", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "1.1.1.1, unknown, 10.9.9.9", "10.9.9.9"),
        ("10.0.0.1", "1.1.1.1, , 10.9.9.9", "10.9.9.9"),
        ("10.0.0.1", "1.1.1.1, 10.9.9.9:x", "10.0.0.1"),
        ("10.0.0.1", "300.1.1.1", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "[2001:DB8:0::7]", "2001:db8::7"),
        ("10.0.0.1", "[2001:db8::7", "10.0.0.1"),
        ("10.0.0.1", "[2001:db8::7]4711", "10.0.0.1"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("::ffff:10.0.0.1", "198.51.100.7, ::ffff:10.9.9.9", "198.51.100.7"),
        ("fd12::1", "2001:db8::7, fd34::2", "2001:db8::7"),
        ("::ffff:203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("2001:DB8::0:9", "198.51.100.7", "2001:db8::9"),
    ],
)
async def test_the_client_is_the_first_hop_that_is_no_trusted_proxy(peer: str, hops: str, client: str) -> None:
    """From the nearest hop on; what an untrusted hop claims, or what is no address, cannot choose whose limit counts."""
    assert (await met(("X-Forwarded-For", hops), peer=peer))["client"] == client


async def test_hops_may_stand_in_several_headers() -> None:
    """Each proxy may add its own line; together they are one list."""
    hops = [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "198.51.100.7"), ("X-Forwarded-For", "10.9.9.9")]
    assert (await met(*hops))["client"] == "198.51.100.7"


async def test_without_trusted_proxies_nobody_is_believed() -> None:
    """By default a client that adds these headers changes nothing, also one on this machine."""
    said = [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "localhost:1")]
    for peer in ("127.0.0.1", "203.0.113.9"):
        expected = {"client": peer, "https": False, "host": "127.0.0.1:8080", "base_url": "http://127.0.0.1:8080"}
        assert await met(*said, peer=peer, trusted="") == expected


async def test_a_trusted_proxy_says_how_the_client_came() -> None:
    """Scheme and host as the client used them; of several values the one that the proxy itself wrote."""
    said = [("X-Forwarded-Proto", "http, https"), ("X-Forwarded-Host", "evil.example, bus.example.com")]
    found = await met(*said, allowed_hosts="bus.example.com")
    assert (found["https"], found["base_url"]) == (True, "https://bus.example.com")
    assert (await met(*said, peer="203.0.113.9", allowed_hosts="bus.example.com"))["base_url"] == "http://127.0.0.1:8080"
    assert (await met(("X-Forwarded-Proto", "http")))["https"] is False


async def test_the_base_url_is_what_the_operator_says() -> None:
    """BACKCHANNEL_BASE_URL before any Host; without it a known Host, the first allowed name, the address listened on."""
    own = {"base_url": "https://bus.example.com/b/"}
    assert (await met(**own))["base_url"] == "https://bus.example.com/b"
    assert (await met(("Host", "evil.example"), **own))["base_url"] == "https://bus.example.com/b"
    assert (await met(base_url="https://me:hunter2@bus.example.com"))["base_url"] == "https://bus.example.com"
    allowed = {"allowed_hosts": "Bus.example.com:8443, b.example"}
    assert (await met(("Host", "b.example:1"), **allowed))["base_url"] == "http://b.example:1"
    assert (await met(("Host", "evil.example"), **allowed))["base_url"] == "http://bus.example.com:8443"
    assert "evil" not in (await met(("Host", "evil.example")))["base_url"]


@pytest.mark.parametrize(
    "host", ['127.0.0.1:80"><script>', "127.0.0.1:8080/evil", "localhost:x", "evil@127.0.0.1", "127.0.0.1:80:80", "[::1]x", ""]
)
async def test_a_host_that_is_no_host_is_not_repeated(host: str) -> None:
    """A name that begins like ours is not ours: it would stand in every document and link."""
    assert not Hosts(Settings(redis_url="memory://")).known(host)
    assert (await met(("Host", host)))["base_url"] in ("http://127.0.0.1:8080", "http://127.0.0.1")


@pytest.mark.parametrize("listed", ["10.0.0.0/8, nonsense", "10.0.0.0/33", "localhost", "*", "10.0.0.1:80"])
def test_a_malformed_list_of_proxies_is_refused_at_the_start(listed: str) -> None:
    """A proxy that is not listed as meant would make all clients one client: the variable is named."""
    with pytest.raises(ValidationError) as raised:
        Settings(redis_url="memory://", trusted_proxies=listed)
    (problem,) = raised.value.errors()
    assert problem["loc"] == ("trusted_proxies",)
    assert listed.rpartition(" ")[2] in problem["msg"]


@pytest.mark.parametrize("listed", ["http://bus.example.com", "*", "*.example.com", "a.example b.example", "me@bus.example"])
def test_what_is_no_host_name_is_refused_at_the_start(listed: str) -> None:
    """An entry that could never match would leave its page or name refused, and nobody would know why."""
    with pytest.raises(ValidationError) as raised:
        Settings(redis_url="memory://", allowed_hosts=listed)
    (problem,) = raised.value.errors()
    assert problem["loc"] == ("allowed_hosts",)
    assert "host name" in problem["msg"]


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("somewhere", "somewhere"),
    ],
)
def test_an_ipv6_client_is_counted_by_its_network(address: str, counted: str) -> None:
    """Whoever has one IPv6 address has 2^64 of them: a limit per address would limit nobody."""
    assert counted_as(address) == counted


async def test_a_live_server_believes_only_whom_it_is_told_to() -> None:
    """The HTTP server under the API adds no trust of its own: by default it would believe this machine."""
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
    for trusted, scheme in (("", "http"), ("127.0.0.0/8", "https")):
        settings = Settings(redis_url="memory://proxies", port=0, trusted_proxies=trusted, **UNLIMITED)
        async with serving(settings) as url, httpx.AsyncClient(base_url=url) as client:
            answer = await client.get("/nowhere", headers=said)
            assert refused(answer, 404, "not_found")["documentation_url"].startswith(f"{scheme}://127.0.0.1:")
            assert ("Strict-Transport-Security" in answer.headers) == (scheme == "https")


async def test_limits_per_address_count_clients_and_not_their_proxy() -> None:
    """Behind a trusted proxy each client has its own share, an IPv6 network one; in front of it nobody gets more by lying."""
    settings = Settings(redis_url="memory://shares", port=0, trusted_proxies="127.0.0.1", rate_limit=0, key_mint_limit=1)
    async with serving(settings) as url, httpx.AsyncClient(base_url=url) as client:

        async def mint(hops: str) -> int:
            answer = await client.post("/v1/keys", json={"agent_label": uuid4().hex}, headers={"X-Forwarded-For": hops})
            return answer.status_code

        assert [await mint("198.51.100.7"), await mint("1.1.1.1, 198.51.100.7")] == [201, 429]
        assert [await mint("198.51.100.8"), await mint("[::ffff:198.51.100.8]:1")] == [201, 429]
        assert [await mint("2001:db8:1:2::1"), await mint("2001:db8:1:2::2"), await mint("2001:db8:1:3::1")] == [201, 429, 201]
    direct = settings.model_copy(update={"redis_url": "memory://direct", "trusted_proxies": ""})
    async with serving(direct) as url, httpx.AsyncClient(base_url=url) as client:
        assert [await mint("198.51.100.7"), await mint("198.51.100.8")] == [201, 429]


async def test_a_live_server_gives_out_its_base_url() -> None:
    """In errors, links and the health answer; the bus behind it is its own store all the same."""
    settings = Settings(redis_url="memory://advertised", port=0, base_url="https://bus.example.com", **UNLIMITED)
    async with serving(settings) as url, httpx.AsyncClient(base_url=url) as client:
        health = await client.get("/health")
        assert health.json()["store"] == "memory"
        assert health.json()["status_url"] == "https://bus.example.com/status"
        assert '<https://bus.example.com/openapi.json>; rel="service-desc"' in health.headers["Link"]
        refusal = refused(await client.get("/nowhere", headers={"Host": "evil.example"}), 404, "not_found")
        assert refusal["documentation_url"] == "https://bus.example.com/docs/errors.md#not-found"
