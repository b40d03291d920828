"""The server that bad input is sent to, and what is on it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from bench.servers import running
from tests.servers import server

from .world import ADMIN_TOKEN, World


def _made(world: World, path: str, body: Any, **headers: str) -> dict[str, Any]:
    if not headers:
        headers = {"X-API-Key": world.names["key"]}
    answer = world.raw(world.request("POST", world.fill(path), list(headers.items()), json.dumps(body).encode()))
    assert answer.status < 300, answer.body
    return answer.json()


def _furnish(world: World) -> None:
    names = world.names
    for who in ("", "other_", "narrow_"):
        issued = _made(world, "/v1/keys", {"agent_label": f"{who}agent"}, Accept="*/*")
        names |= {f"{who}key": issued["key"], f"{who}key_id": issued["key_id"], f"{who}actor": issued["agent_label"]}
    narrowed = world.raw(
        world.request("PUT", "/v1/keys/me/scopes", [("X-API-Key", names["narrow_key"])], b'{"scopes": ["channels:read"]}')
    )
    assert narrowed.status == 200, narrowed.body
    names |= {"channel": "work", "news": "news", "locked": "locked", "admin_token": ADMIN_TOKEN}
    _made(world, "/v1/channels", {"name": "work", "mode": "claimable"})
    _made(world, "/v1/channels", {"name": "news", "mode": "broadcast"})
    _made(world, "/v1/channels", {"name": "locked", "mode": "claimable", "access": "restricted"})
    _made(world, "/v1/channels/work/aliases", {"alias": "labour"})
    first, second, third = (_made(world, "/v1/tasks/post", {"channel": "work", "content": "x"})["message"] for _ in range(3))
    names |= {"leased": first["id"], "held": second["id"], "task": third["id"]}
    names["lease"] = _made(world, "/v1/messages/$leased/claim-with-lease", {"lease_seconds": 3600})["lease_token"]
    names["token"] = _made(world, "/v1/messages/$held/claim", {"lease_seconds": 3600})["claim_token"]
    names["read"] = _made(world, "/v1/tasks/broadcast", {"channel": "news", "content": "x"})["message"]["id"]
    names["session"] = _made(world, "/v1/sessions", {"name": "s", "state": {"a": 1}})["id"]
    names["invitation"] = _made(world, "/v1/channels/locked/invitations", {})["id"]
    asked = _made(world, "/v1/channels/locked/access-requests", {}, **{"X-API-Key": names["other_key"]})
    names["asked"] = asked["request_id"]


@pytest.fixture(scope="package")
def world() -> Iterator[World]:
    settings = {"LONGPOLL_MAX_WAIT_SECONDS": "1", "ADMIN_TOKEN": ADMIN_TOKEN}
    with (
        tempfile.TemporaryDirectory(prefix="bch-", dir="/tmp") as folder,
        server(Path(folder)) as store,
        running("api", Path(folder), REDIS_URL=store.url, **settings) as served,
        redis.Redis(unix_socket_path=str(store.socket)) as client,
    ):
        found = World(served[0], client)
        _furnish(found)
        yield found


@pytest.fixture
def untouched(world: World) -> Iterator[World]:
    """The world, which must be the same afterwards. No test pays for another's wrong admin tokens."""
    world.store.delete("bc:rate:admin:127.0.0.1")
    before = world.kept()
    yield world
    after = world.kept()
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert not changed, f"a refused request wrote {sorted(changed)}"
