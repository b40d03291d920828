"""rediss://: the store's certificate is checked, ours is shown, and what is wrong with either is said."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from pathlib import Path

import pytest

from bus.errors import StoreUnavailable
from tests.contract.stores import LOOPS, opened
from tests.topologies.conftest import handed_over, opens, somebody
from tests.topologies.tls import HOST, Papers, SecureServer, papers, secure_cluster, secure_sentinel, secure_server, speaks_tls

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not speaks_tls(), reason="no redis-server with TLS on PATH")]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return papers(tmp_path_factory.mktemp("tls") / "papers")


@pytest.fixture(scope="module")
def server(shown: Papers) -> Generator[SecureServer]:
    with secure_server(shown) as running:
        yield running


async def refusal(url: str) -> str:
    """What a call is told that cannot be made."""
    async with opened(url) as store:
        with pytest.raises(StoreUnavailable) as refused:
            await store.command("PING")  # waits for a connection, in vain
        return str(refused.value)


@pytest.mark.parametrize("anyio_backend", list(LOOPS.values()), ids=list(LOOPS))
async def test_work_is_handed_over_and_waited_for_behind_tls(server: SecureServer, shown: Papers) -> None:
    """Both connections are secured, and both sides show a certificate."""
    async with opens(f"rediss://{HOST}:{server.port}/0?{shown.query}")() as bus:
        await handed_over(bus, await somebody(bus, "ann"), await somebody(bus, "bob"), "secured")
        assert (await bus.ping()).where == f"rediss://{HOST}:{server.port}/0"


async def test_what_is_wrong_with_a_certificate_is_told(server: SecureServer, shown: Papers, tmp_path: Path) -> None:
    """Calls fail clearly and never hang: with the name that does not fit, and without our password."""
    other, here = papers(tmp_path / "other"), f"{HOST}:{server.port}/0"
    told = await asyncio.gather(
        refusal(f"rediss://:hunter2@{here}?ssl_ca_certs={other.ca}&ssl_certfile={shown.client}&ssl_keyfile={shown.client}"),
        refusal(f"rediss://:hunter2@127.0.0.1:{server.port}/0?{shown.query}"),
        refusal(f"rediss://:hunter2@{here}?ssl_ca_certs={shown.ca}"),
        refusal(f"redis://:hunter2@{here}"),
    )
    signed_by_another, for_another_name, none_shown, in_plain_text = told
    assert "certificate verify failed" in signed_by_another
    assert "127.0.0.1" in for_another_name
    assert "certificate" in for_another_name
    for each in (none_shown, in_plain_text):
        assert "nothing was sent" in each
    assert "hunter2" not in "".join(told)


@pytest.mark.parametrize("kind", ["cluster", "sentinel"])
async def test_tls_reaches_every_server_of_a_fleet(shown: Papers, kind: str) -> None:
    """The options of the URL hold for the servers that the first one names, too."""
    with (secure_cluster if kind == "cluster" else secure_sentinel)(shown) as url:
        async with opens(url)() as bus:
            await handed_over(bus, await somebody(bus, "ann"), await somebody(bus, "bob"), "secured")
            health = await bus.ping()
            assert (health.store, health.where.partition("://")[0]) == (kind, f"rediss+{kind}")
