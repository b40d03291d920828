"""Section 3.3, channels: made, listed, changed, named otherwise, deleted; by their owner, a member, a stranger."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import HOOK_SECRET, Row, Scene, named

pytestmark = pytest.mark.anyio

NEW: dict[str, Any] = {"name": "<open>", "mode": "claimable"}
CREATING: list[Row] = [
    ("nobody", "POST", "/v1/channels", NEW, 401, "unauthorized"),
    ("owner", "POST", "/v1/channels", NEW, 200, ""),
    ("stranger", "POST", "/v1/channels", NEW, 200, ""),
    ("owner", "POST", "/v1/channels", {**NEW, "mode": "broadcast"}, 409, "channel_exists"),
    ("owner", "POST", "/v1/channels", {**NEW, "access": "restricted"}, 409, "channel_exists"),
    ("owner", "POST", "/v1/channels", {**NEW, "name": "<open_alias>"}, 409, "alias_conflict"),
    ("stranger", "POST", "/v1/channels", {**NEW, "name": "<closed>", "access": "restricted"}, 403, "channel_access_denied"),
    ("member", "POST", "/v1/channels", {**NEW, "name": "<closed>", "access": "restricted"}, 200, ""),
    ("owner", "POST", "/v1/channels", {"mode": "claimable"}, 422, "missing_field"),
    ("owner", "POST", "/v1/channels", {"name": "<open>"}, 422, "missing_field"),
    ("owner", "POST", "/v1/channels", {**NEW, "related_channels": ["no-such"]}, 404, "channel_not_found"),
    ("owner", "POST", "/v1/channels", {**NEW, "related_channels": "<news>"}, 422, "invalid_related_channels"),
    ("owner", "POST", "/v1/channels", {**NEW, "related_channels": [1]}, 422, "invalid_related_channels"),
]
OWNERS: list[tuple[str, str, Any]] = [
    ("PATCH", "/v1/channels/{}", {"description": "x"}),
    ("DELETE", "/v1/channels/{}", None),
    ("POST", "/v1/channels/{}/aliases", {"alias": "x"}),
    ("GET", "/v1/channels/{}/members", None),
    ("POST", "/v1/channels/{}/members", {"key_id": "bck_x"}),
    ("DELETE", "/v1/channels/{}/members/bck_x", None),
    ("GET", "/v1/channels/{}/events", None),
    ("GET", "/v1/channels/{}/access-requests", None),
    ("POST", "/v1/channels/{}/access-requests/x/approve", None),
    ("POST", "/v1/channels/{}/access-requests/x/deny", None),
    ("POST", "/v1/channels/{}/invitations", {}),
    ("GET", "/v1/channels/{}/webhook-failures", None),
]
READERS: list[tuple[str, str, Any]] = [
    ("GET", "/v1/channels/{}", None),
    ("GET", "/v1/channels/{}/messages", None),
    ("GET", "/v1/channels/{}/history", None),
    ("GET", "/v1/channels/{}/metrics", None),
    ("GET", "/v1/channels/{}/counts", None),
]
ADMINISTERING: list[Row] = [
    *((who, method, path.format(f"<{channel}>"), body, 403, "forbidden")
      for who, channel in (("stranger", "open"), ("stranger", "closed"), ("member", "closed"))
      for method, path, body in OWNERS),
    *(("nobody", method, path.format("<open>"), body, 401, "unauthorized") for method, path, body in OWNERS),
    *(("owner", method, path.format("no-such"), body, 404, "channel_not_found") for method, path, body in OWNERS),
    *(("owner", method, path.format("a%7Bb"), body, 422, "invalid_channel_name") for method, path, body in OWNERS),
]  # fmt: skip
READING: list[Row] = [
    *(("stranger", method, path.format("<open>"), body, 200, "") for method, path, body in READERS),
    *(("member", method, path.format("<closed>"), body, 200, "") for method, path, body in READERS),
    *(("owner", method, path.format("<closed_alias>"), body, 200, "") for method, path, body in READERS),
    *(("stranger", method, path.format("<closed>"), body, 403, "channel_access_denied") for method, path, body in READERS),
    *(("stranger", method, path.format("<closed_alias>"), None, 403, "channel_access_denied") for method, path, _ in READERS),
    *(("owner", method, path.format("no-such"), body, 404, "channel_not_found") for method, path, body in READERS),
    *(("owner", method, path.format("%E2%80%8B"), body, 422, "invalid_channel_name") for method, path, body in READERS),
]
CHANGING: list[Row] = [
    ("owner", "PATCH", "/v1/channels/<open>", {}, 200, ""),
    ("owner", "PATCH", "/v1/channels/<open>", {"ttl_seconds": 300}, 422, "invalid_fields"),
    ("owner", "PATCH", "/v1/channels/<open>", {"id": "x"}, 422, "invalid_fields"),
    ("owner", "PATCH", "/v1/channels/<open>", {"name": "another"}, 422, "invalid_name"),
    ("owner", "PATCH", "/v1/channels/<open>", {"mode": "broadcast"}, 409, "channel_not_empty"),
    ("owner", "PATCH", "/v1/channels/<open>", {"mode": "claimable"}, 200, ""),
    ("owner", "PATCH", "/v1/channels/<open>", {"related_channels": ["no-such"]}, 404, "channel_not_found"),
    ("owner", "PATCH", "/v1/channels/<open>", {"related_channels": ["<open_alias>"]}, 422, "invalid_related_channels"),
    ("owner", "POST", "/v1/channels/<open>/aliases", {}, 422, "missing_field"),
    ("owner", "POST", "/v1/channels/<open>/aliases", {"alias": ""}, 422, "invalid_string"),
    ("owner", "POST", "/v1/channels/<open>/aliases", {"alias": "a/b"}, 422, "invalid_channel_name"),
    ("owner", "POST", "/v1/channels/<open>/aliases", {"alias": "<open>"}, 409, "alias_conflict"),
    ("owner", "POST", "/v1/channels/<open>/aliases", {"alias": "<news>"}, 409, "alias_conflict"),
    ("owner", "POST", "/v1/channels/<open>/aliases", {"alias": "<news_alias>"}, 409, "alias_conflict"),
    ("owner", "POST", "/v1/channels/<open>/aliases", {"alias": "<open_alias>"}, 201, ""),
]
LIMITS: list[Row] = [
    *(("owner", "GET", f"/v1/channels?limit={limit}", None, 200, "") for limit in ("-1", "0", "1", "100", "101", "9999")),
    ("owner", "GET", "/v1/channels?limit=many", None, 422, "invalid_limit"),
    ("owner", "GET", "/v1/channels?cursor=there", None, 422, "invalid_cursor"),
    *(("owner", "GET", f"/v1/channels/<open>/{what}?limit={limit}", None, 422, "invalid_limit")
      for what in ("history", "events", "messages") for limit in ("0", "101", "many", "")),
    *(("owner", "GET", f"/v1/channels/<open>/{what}=there", None, 422, "invalid_cursor")
      for what in ("history?cursor", "events?since", "events?cursor", "messages?since", "messages?cursor")),
    *(("owner", "GET", f"/v1/channels{what}={start}", None, 200, "")
      for what in ("?cursor", "?since", "/<open>/history?cursor", "/<open>/events?since", "/<open>/messages?since")
      for start in ("", "0", "2026-11-22T15:41:23.034297%2B00:00", "2026-11-22T15:41:23Z", "2026-11-22T15:41:23")),
]  # fmt: skip


@pytest.mark.parametrize("row", [*CREATING, *ADMINISTERING, *READING, *CHANGING, *LIMITS], ids=named)
async def test_channels(scene: Scene, row: Row) -> None:
    """Who may, who may not, and what is wrong with what was sent."""
    await scene.check(row)


async def test_every_setting_comes_back_and_the_webhook_never(scene: Scene) -> None:
    """What was set at creation is shown to whoever may look, but for where the webhook is and what signs it."""
    settings: dict[str, Any] = {
        "mode": "broadcast", "access": "restricted", "discoverable": True, "description": "d", "pinned_message": "p",
        "metadata_schema": {"type": "object"}, "ttl_seconds": 300, "retention_days": 1, "max_messages": 1,
        "max_writes_per_minute": 1_000_000,
    }  # fmt: skip
    secret = {"webhook_url": f"http://127.0.0.1:9/?t={HOOK_SECRET}", "webhook_secret": HOOK_SECRET}
    sent = {"name": "Every Setting", **settings, **secret, "related_channels": ["<news_alias>", "<news>", "<open>"]}
    made = await scene.done("owner", "POST", "/v1/channels", sent)
    assert {name: made[name] for name in settings} == settings
    assert (made["name"], made["paused"], made["aliases"]) == ("Every Setting", False, [])
    related = [(each["id"], each["mode"]) for each in made["related_channels"]]
    assert related == [(scene.names["news"], "broadcast"), (scene.names["open"], "claimable")]
    assert made == await scene.done("owner", "GET", f"/v1/channels/{made['id']}")
    row = next(each for each in (await scene.done("stranger", "GET", "/v1/channels"))["data"] if each["id"] == made["id"])
    assert row["is_member"] is False


async def test_the_defaults(scene: Scene, channel: str) -> None:
    """What a channel is when nothing was said of it."""
    made = await scene.done("owner", "GET", f"/v1/channels/{channel}")
    told = ("access", "discoverable", "description", "metadata_schema", "pinned_message", "ttl_seconds", "retention_days")
    assert [made[name] for name in told] == ["open", True, "", {}, None, 86_400, 7]
    assert [made[name] for name in ("max_messages", "max_writes_per_minute", "paused", "related_channels")] == [
        None, None, False, []
    ]  # fmt: skip
    closed = await scene.done("owner", "GET", "/v1/channels/<closed>")
    assert closed["discoverable"] is False


async def test_what_is_unknown_is_named_and_nothing_is_changed(scene: Scene, channel: str) -> None:
    """`fields` lists all of it; the known fields that came with it are not set."""
    body = {"description": "new", "ttl_seconds": 300, "owner_id": "me"}
    found = await scene.check(("owner", "PATCH", "/v1/channels/<mine>", body, 422, "invalid_fields"))
    assert found["fields"] == ["owner_id", "ttl_seconds"] or found["fields"] == ["ttl_seconds", "owner_id"]
    assert (await scene.done("owner", "GET", f"/v1/channels/{channel}"))["description"] == ""


async def test_null_empties_what_can_be_empty(scene: Scene, channel: str) -> None:
    """And what cannot is refused by its own code; what is absent stays."""
    full: dict[str, Any] = {"description": "d", "pinned_message": "p", "max_messages": 5, "max_writes_per_minute": 5}
    full["metadata_schema"] = {"type": "object"}
    await scene.done("owner", "PATCH", "/v1/channels/<mine>", full)
    found = await scene.done("owner", "PATCH", "/v1/channels/<mine>", dict.fromkeys(full))
    assert [found[name] for name in full] == ["", None, None, None, {}]
    for name, code in {
        "name": "invalid_string", "mode": "invalid_mode", "access": "invalid_access", "paused": "invalid_paused",
        "discoverable": "invalid_discoverable", "retention_days": "invalid_retention_days",
        "related_channels": "invalid_related_channels",
    }.items():  # fmt: skip
        await scene.check(("owner", "PATCH", "/v1/channels/<mine>", {name: None}, 422, code))


async def test_deleting(scene: Scene, channel: str) -> None:
    """204 without a body; it is gone for everybody, by every name, and its names are free."""
    await scene.done("owner", "POST", "/v1/channels/<mine>/aliases", {"alias": f"{channel}-too"})
    posted = await scene.done("owner", "POST", "/v1/channels/<mine>/messages", {"content": "x"})
    answer = await scene.ask("owner", "DELETE", f"/v1/channels/{channel}-too")
    assert (answer.status_code, answer.content, "Content-Type" in answer.headers) == (204, b"", False)
    for name in (channel, f"{channel}-too"):
        await scene.check(("owner", "GET", f"/v1/channels/{name}", None, 404, "channel_not_found"))
    await scene.check(("owner", "DELETE", "/v1/channels/<mine>", None, 404, "channel_not_found"))
    await scene.check(("owner", "POST", f"/v1/messages/{posted['message']['id']}/claim", {}, 404, "message_not_found"))
    await scene.check(("stranger", "POST", "/v1/channels", {"name": f"{channel}-too", "mode": "claimable"}, 201, ""))


async def test_pages_of_channels_end_where_they_should(scene: Scene) -> None:
    """Newest first, every one once, also of those made in one millisecond; null after the last."""
    for i in range(5):
        await scene.done("owner", "POST", "/v1/channels", {"name": f"paged-{i}", "mode": "broadcast"})
    whole = await scene.done("owner", "GET", "/v1/channels?limit=100")
    assert whole["next_cursor"] is None
    cursor, seen = "", list[str]()
    while cursor is not None:
        page = await scene.done("owner", "GET", f"/v1/channels?limit=2&since={cursor}")
        seen += [each["id"] for each in page["data"]]
        cursor = page["next_cursor"]
    assert seen == [each["id"] for each in whole["data"]]
    assert set(whole["data"][0]) >= {"id", "name", "mode", "access", "description", "created_at", "is_member"}


async def test_a_channel_s_created_at_is_a_cursor_too(scene: Scene) -> None:
    """First servers gave timestamps as cursors: what was created before is listed."""
    whole = (await scene.done("owner", "GET", "/v1/channels?limit=100"))["data"]
    at = whole[0]["created_at"].replace("+", "%2B")
    older = (await scene.done("owner", "GET", f"/v1/channels?limit=100&cursor={at}"))["data"]
    assert [each["id"] for each in older] == [each["id"] for each in whole if each["created_at"] < whole[0]["created_at"]]
