"""Section 5, limits and settings: their names, their defaults, and that the last value inside is taken and the next is not."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from api.serving import serving
from bus import Settings

from .conftest import Row, Scene, named

pytestmark = pytest.mark.anyio

DEFAULTS: dict[str, Any] = {
    "rate_limit": 120,
    "rate_limit_window": 60,
    "key_mint_limit": 5,
    "key_mint_window": 3600,
    "default_ttl_seconds": 86_400,
    "default_retention_days": 7,
    "default_discoverable": True,
    "admin_token": None,
    "base_url": None,
    "allowed_hosts": "",
    "trusted_proxies": "",
    "invitation_onboarding_url": "",
    "instance_kind": "self-hosted",
}
OURS: dict[str, Any] = {"max_message_bytes": 65_536, "longpoll_enabled": True, "longpoll_max_wait_seconds": 60}
"""Defaults that are others on purpose: docs/differences.md names each."""
BORDERS: dict[str, tuple[int, int, str]] = {
    "ttl_seconds": (300, 2_592_000, "invalid_ttl_seconds"),
    "retention_days": (1, 365, "invalid_retention_days"),
    "max_messages": (1, 1_000_000, "invalid_max_messages"),
    "max_writes_per_minute": (1, 1_000_000, "invalid_max_writes_per_minute"),
}


@pytest.mark.parametrize(("name", "default"), [*DEFAULTS.items(), *OURS.items()])
def test_a_default(name: str, default: Any) -> None:
    """As the contract's table has it; an operator who moves over keeps their variables."""
    assert Settings.model_fields[name].default == default


@pytest.mark.parametrize("field", BORDERS)
async def test_the_borders_of_a_channel_s_settings(scene: Scene, field: str) -> None:
    """Both ends are taken, what is past them is not, nor is what is no whole number."""
    least, most, code = BORDERS[field]
    for value in (least, most):
        body = {"name": f"border-{uuid4().hex[:8]}", "mode": "broadcast", field: value}
        assert (await scene.done("owner", "POST", "/v1/channels", body))[field] == value
    for wrong in (least - 1, most + 1, float(least) + 0.5, str(least), True):
        await scene.check(("owner", "POST", "/v1/channels", {"name": "border", "mode": "broadcast", field: wrong}, 422, code))


LENGTHS: list[Row] = [
    ("owner", "POST", "/v1/channels", {"name": "n" * 200, "mode": "broadcast"}, 201, ""),
    ("owner", "POST", "/v1/channels", {"name": "n" * 201, "mode": "broadcast"}, 422, "invalid_channel_name"),
    ("owner", "POST", "/v1/channels/<open>/messages", {"content": "é" * 32_768}, 201, ""),
    ("owner", "POST", "/v1/channels/<open>/messages", {"content": "é" * 32_768 + "x"}, 422, "content_too_large"),
    *(("owner", "GET", f"/v1/channels/<open>/messages?limit={limit}", None, 200, "") for limit in (1, 100)),
    *(("owner", "POST", "/v1/tasks/subscribe", {"channel": "<open>", "limit": limit}, 422, "invalid_limit")
      for limit in (0, 101)),
    *(("owner", "POST", "/v1/messages/<task>/claim-with-lease", {"lease_seconds": lease}, 422, "invalid_lease_seconds")
      for lease in (29, 3601, 30.5, "60", None)),
    *(("owner", "POST", "/v1/leases/AAAA/heartbeat", {"lease_seconds": lease}, 422, "invalid_lease_seconds")
      for lease in (29, 3601)),
]  # fmt: skip
HIDDEN = ["\x00", "\x1f", "\x7f", "\u00ad", "\u061c", "\u200b", "\u200d", "\u200e", "\u202e", "\u2066", "\u2061", "\ufeff"]
NAMES: list[Row] = [
    ("owner", "POST", "/v1/channels", {"name": f"a{hidden}b", "mode": "claimable"}, 422, "invalid_channel_name")
    for hidden in HIDDEN
]


@pytest.mark.parametrize("row", [*LENGTHS, *NAMES], ids=lambda row: named(row)[:90].encode("unicode_escape").decode())
async def test_lengths(scene: Scene, row: Row) -> None:
    """Names in characters, content in UTF-8 bytes, pages in rows, leases in seconds; and what a name must not hold."""
    await scene.check(row)


@pytest.mark.parametrize("name", ["a < b", "Größe 5", "議題", "a:b", "a&b=c", "it's"])
async def test_what_a_name_may_hold(scene: Scene, name: str) -> None:
    """`<`, letters of any script, spaces: found again by the id that was given, and by the name."""
    made = await scene.done("owner", "POST", "/v1/channels", {"name": name, "mode": "broadcast"})
    assert made["name"] == name
    for known_as in (made["id"], name):
        assert (await scene.done("owner", "GET", f"/v1/channels/{quote(known_as, safe='')}"))["id"] == made["id"]


async def test_the_limits_of_a_server_as_it_is_installed() -> None:
    """120 requests a minute of one API key, 5 keys an hour from one address, told in the headers and in the body."""
    settings = Settings(redis_url="memory://defaults", host="127.0.0.1", port=0)
    async with serving(settings) as url, httpx.AsyncClient(base_url=url) as client:
        minted = [await client.post("/v1/keys", json={"agent_label": f"a{i}"}) for i in range(4)]
        assert (await client.post("/v1/keys", json={})).status_code == 422  # counted before it is looked at
        refused = await client.post("/v1/keys", json={"agent_label": "late"})
        assert [each.status_code for each in minted] == [201] * 4
        assert (refused.status_code, refused.json()["error"]) == (429, "rate_limit_exceeded")
        assert int(refused.headers["Retry-After"]) == refused.json()["retry_after"] > 0
        headers = {"X-API-Key": minted[0].json()["key"]}
        answers = [await client.get("/v1/keys/me", headers=headers) for _ in range(3)]
    assert [each.headers["X-RateLimit-Remaining"] for each in answers] == ["119", "118", "117"]
    assert {(each.headers["X-RateLimit-Limit"], each.headers["X-RateLimit-Window"]) for each in answers} == {("120", "60")}
    assert (minted[0].json()["rate_limit"], minted[0].json()["rate_limit_window_seconds"]) == (120, 60)
