"""Section 3.4, how an API key gets into a restricted channel: it asks and the owner decides, or it has an invitation."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.serving import serving
from bus import Settings

from ..conftest import UNLIMITED
from .conftest import Row, Scene, named

pytestmark = pytest.mark.anyio

ASKING: list[Row] = [
    ("nobody", "POST", "/v1/channels/<closed>/access-requests", {}, 401, "unauthorized"),
    ("stranger", "POST", "/v1/channels/<open>/access-requests", {}, 200, ""),
    ("stranger", "POST", "/v1/channels/<open_alias>/access-requests", None, 200, ""),
    ("owner", "POST", "/v1/channels/<closed>/access-requests", {}, 200, ""),
    ("member", "POST", "/v1/channels/<closed_alias>/access-requests", {}, 200, ""),
    ("stranger", "POST", "/v1/channels/no-such/access-requests", {}, 404, "channel_not_found"),
    ("stranger", "POST", "/v1/channels/a%7Bb/access-requests", {}, 422, "invalid_channel_name"),
    ("stranger", "POST", "/v1/channels/<closed>/access-requests", {"reason": 5}, 422, "invalid_string"),
    ("owner", "POST", "/v1/channels/<closed>/access-requests/no-such/approve", None, 404, "access_request_not_found"),
    ("owner", "POST", "/v1/channels/<closed>/access-requests/no-such/deny", None, 404, "access_request_not_found"),
    ("owner", "POST", "/v1/channels/<closed>/access-requests/%00/deny", None, 404, "access_request_not_found"),
    ("nobody", "POST", "/v1/channels/<closed>/invitations", {}, 401, "unauthorized"),
    ("nobody", "DELETE", "/v1/channel-invitations/no-such", None, 401, "unauthorized"),
    ("owner", "DELETE", "/v1/channel-invitations/no-such", None, 404, "invitation_not_found"),
    ("owner", "DELETE", "/v1/channel-invitations/%C3%A9", None, 404, "invitation_not_found"),
]


@pytest.mark.parametrize("row", ASKING, ids=named)
async def test_access(scene: Scene, row: Row) -> None:
    """Who may, who may not, and what is wrong with what was sent."""
    await scene.check(row)


async def test_the_forms_of_the_answer(scene: Scene) -> None:
    """open with a note, already_member, pending with the request's id: the same one as long as it is pending."""
    path = "/v1/channels/{}/access-requests"
    assert set(await scene.done("stranger", "POST", path.format("<open>"), {})) == {"status", "note"}
    assert await scene.done("member", "POST", path.format("<closed>"), {}) == {"status": "already_member"}
    await scene.join("asker")
    first = await scene.ask("asker", "POST", path.format("<closed>"), {"reason": "please"})
    again = await scene.ask("asker", "POST", path.format("<closed_alias>"))
    assert (first.status_code, again.status_code, first.json()) == (202, 202, again.json())
    assert set(first.json()) == {"status", "request_id"}
    pending = (await scene.done("owner", "GET", path.format("<closed>")))["data"]
    mine: dict[str, Any] = next(each for each in pending if each["id"] == first.json()["request_id"])
    told = ("channel_id", "requester_key_id", "reason", "status")
    assert [mine[name] for name in told] == [scene.names["closed"], scene.names["asker_id"], "please", "pending"]
    assert [each["created_at"] for each in pending] == sorted(each["created_at"] for each in pending)


async def test_the_lobby(scene: Scene) -> None:
    """Denied, asked again, approved, in; what is resolved stays so; the owner sees the new member and the event."""
    await scene.join("guest")
    path = "/v1/channels/<closed>/access-requests"
    for verdict, status in (("deny", "denied"), ("approve", "approved")):
        asked = (await scene.done("guest", "POST", path, {}))["request_id"]
        await scene.check(("guest", "POST", f"{path}/{asked}/{verdict}", None, 403, "forbidden"))
        await scene.check(
            ("owner", "POST", f"/v1/channels/<open>/access-requests/{asked}/deny", None, 404, "access_request_not_found")
        )
        found = await scene.done("owner", "POST", f"{path}/{asked}/{verdict}")
        assert (found["status"], found["request_id"], found["requester_key_id"]) == (status, asked, scene.names["guest_id"])
        for again in ("approve", "deny"):
            await scene.check(("owner", "POST", f"{path}/{asked}/{again}", None, 409, "access_request_resolved"))
    await scene.check(("guest", "GET", "/v1/channels/<closed>", None, 200, ""))
    assert await scene.done("guest", "POST", path, {}) == {"status": "already_member"}
    members = (await scene.done("owner", "GET", "/v1/channels/<closed>/members"))["data"]
    assert members[0]["key_id"] == scene.names["owner_id"]
    assert scene.names["guest_id"] in [each["key_id"] for each in members]
    events = (await scene.done("owner", "GET", "/v1/channels/<closed>/events?limit=100"))["data"]
    assert (events[-1]["event_type"], events[-1]["actor_key_id"], events[-1]["subject_key_id"]) == (
        "member_added", scene.names["owner_id"], scene.names["guest_id"]
    )  # fmt: skip


async def test_members(scene: Scene) -> None:
    """Added whether the key exists or not, added twice the same, removed twice the same; never the owner; each change once
    in the events, which go on after a cursor and echo it at their end."""
    path, key_id = "/v1/channels/<closed>/members", f"bck_{uuid4().hex[:12]}"
    start = (await scene.done("owner", "GET", "/v1/channels/<closed>/events?limit=100"))["next_cursor"] or "0"
    added = await scene.ask("owner", "POST", path, {"key_id": key_id})
    again = await scene.ask("owner", "POST", path, {"key_id": key_id})
    assert (added.status_code, again.status_code, added.json()) == (201, 201, again.json())
    assert set(added.json()) == {"id", "channel_id", "key_id", "granted_at", "granted_via_invitation_id"}
    await scene.check(("owner", "POST", path, {}, 422, "missing_field"))
    for _ in range(2):
        assert await scene.done("owner", "DELETE", f"{path}/{key_id}") == {"status": "removed"}
    await scene.check(("owner", "DELETE", f"{path}/<owner_id>", None, 409, "cannot_remove_owner"))
    page = await scene.done("owner", "GET", f"/v1/channels/<closed>/events?limit=1&since={start}")
    rest = await scene.done("owner", "GET", f"/v1/channels/<closed>/events?since={page['next_cursor']}")
    events = [*page["data"], *rest["data"]]
    assert [each["event_type"] for each in events] == ["member_added", "member_removed"]
    assert set(events[0]) == {
        "id", "channel_id", "event_type", "actor_key_id", "subject_key_id", "invitation_id", "metadata", "created_at",
        "expires_at",
    }  # fmt: skip
    ended = await scene.done("owner", "GET", f"/v1/channels/<closed>/events?since={rest['next_cursor']}")
    assert (ended["data"], ended["next_cursor"]) == ([], rest["next_cursor"])


async def test_an_invitation(scene: Scene) -> None:
    """Its id is 24 url-safe characters; it lets in who presents it, any number of keys; HEAD does not; it can be taken back."""
    made = await scene.done("owner", "POST", "/v1/channels/<closed_alias>/invitations", {})
    path = f"/v1/channel-invitations/{made['id']}"
    assert set(made) == {
        "id", "owner_id", "created_by_key_id", "created_at", "expires_at", "revoked_at", "active", "channel"
    }  # fmt: skip
    assert (len(made["id"]), made["owner_id"], made["active"]) == (24, scene.names["owner_label"], True)
    assert set(made["channel"]) == {"id", "name", "mode", "description"}
    await scene.join("invited")
    assert (await scene.ask("invited", "HEAD", path)).status_code == 200
    await scene.check(("invited", "GET", "/v1/channels/<closed>", None, 403, "channel_access_denied"))
    await scene.check(("invited", "DELETE", path, None, 403, "forbidden"))
    assert await scene.done("invited", "GET", path) == made
    await scene.check(("invited", "GET", "/v1/channels/<closed>", None, 200, ""))
    for _ in range(2):
        assert (await scene.done("owner", "DELETE", path))["active"] is False
    await scene.check(("stranger", "GET", path, None, 410, "invitation_revoked"))
    events = (await scene.done("owner", "GET", "/v1/channels/<closed>/events?limit=100"))["data"]
    assert [each["event_type"] for each in events[-3:]] == ["member_added", "invitation_resolved", "invitation_revoked"]
    assert made["id"] not in str(events)


async def test_looking_up_invitations_has_a_limit_of_its_own() -> None:
    """10 a minute from one address, with a key or without, and none of them counts against the key's own limit. Without a
    key the answer says where to get one."""
    more = UNLIMITED | {"rate_limit": 5, "invitation_onboarding_url": "https://example.com/join"}
    settings = Settings(redis_url="memory://lookups", host="127.0.0.1", port=0, **more)
    async with serving(settings) as url, httpx.AsyncClient(base_url=url) as client:
        key = (await client.post("/v1/keys", json={"agent_label": "ann"})).json()["key"]
        path, headers = "/v1/channel-invitations/no-such", {"X-API-Key": key}
        answer = await client.get(path)
        assert answer.status_code == 401
        assert (answer.json()["error"], answer.json()["redirect_to"]) == ("api_key_required", "https://example.com/join")
        wrong = await client.get(path, headers={"X-API-Key": "bck_x.y"})
        assert (wrong.status_code, wrong.json()["error"]) == (401, "unauthorized")
        statuses = [(await client.get(path, headers=headers)).status_code for _ in range(9)]
        assert statuses == [404] * 8 + [429]
        assert (await client.get("/v1/keys/me", headers=headers)).headers["X-RateLimit-Remaining"] == "4"
