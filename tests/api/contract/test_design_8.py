"""What is otherwise than on first servers on purpose, one test for each of the ten, and that no secret is told or logged."""

from __future__ import annotations

import logging
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from api.errors import install
from api.metrics import Metrics
from api.middleware import Edge, routes_of
from bus import Settings

from .conftest import HOOK_SECRET, Row, Scene, named

pytestmark = pytest.mark.anyio


async def test_1_a_name_is_one_channel(scene: Scene) -> None:
    """For every key and however it is spelled: agents meet by name."""
    name = f"Ops Alerts {uuid4().hex[:6]}"
    made = await scene.done("owner", "POST", "/v1/channels", {"name": name, "mode": "claimable"})
    again = await scene.ask("stranger", "POST", "/v1/channels", {"name": name.upper().replace(" ", "-"), "mode": "claimable"})
    assert (again.status_code, again.json()) == (200, made)


async def test_2_posting_twice_is_two_messages(scene: Scene, channel: str) -> None:
    """Unless an idempotency key says that it is one; then another body under it is a mistake."""
    path, body = f"/v1/channels/{channel}/messages", {"content": "x"}
    ids = [(await scene.done("owner", "POST", path, body))["message"]["id"] for _ in range(2)]
    assert len(set(ids)) == 2
    key = {"Idempotency-Key": uuid4().hex}
    first, again = [await scene.ask("owner", "POST", path, body, headers=key) for _ in range(2)]
    assert (first.json()["message"]["id"], first.status_code) == (again.json()["message"]["id"], again.status_code)
    assert (again.headers["X-Idempotent-Replay"], again.headers["X-Idempotency-Source"]) == ("true", "client")
    other = await scene.ask("owner", "POST", path, {"content": "y"}, headers=key)
    assert (other.status_code, other.json()["error"]) == (409, "idempotency_conflict")


async def test_3_a_plain_claim_is_a_lease(scene: Scene, channel: str) -> None:
    """It says when it ends: 15 minutes on, where nothing else was said."""
    posted = await scene.done("owner", "POST", f"/v1/channels/{channel}/messages", {"content": "x"})
    claim = await scene.done("owner", "POST", f"/v1/messages/{posted['message']['id']}/claim", {})
    assert claim["message"]["claimed_at"] < claim["message"]["lease_expires_at"] < claim["message"]["expires_at"]


async def test_4_only_the_holder_acks(scene: Scene, channel: str) -> None:
    """A task; on a broadcast channel an ack is a read receipt, by anyone, again and again."""
    task = (await scene.done("owner", "POST", f"/v1/channels/{channel}/messages", {"content": "x"}))["message"]["id"]
    await scene.check(("stranger", "POST", f"/v1/messages/{task}/ack", {}, 409, "not_claimed"))
    await scene.done("owner", "POST", f"/v1/messages/{task}/claim", {})
    await scene.check(("stranger", "POST", f"/v1/messages/{task}/ack", {}, 409, "not_claimed"))
    statuses = [(await scene.done("owner", "POST", f"/v1/messages/{task}/ack", {}))["status"] for _ in range(2)]
    assert statuses == ["acknowledged", "already_acknowledged"]
    news = (await scene.done("owner", "POST", "/v1/channels/<news>/messages", {"content": "x"}))["message"]["id"]
    for who in ("stranger", "owner"):
        statuses = [(await scene.done(who, "POST", f"/v1/messages/{news}/ack", {}))["status"] for _ in range(2)]
        assert statuses == ["acknowledged", "already_acknowledged"]


async def test_5_a_list_without_a_cursor_shows_what_matters_now(scene: Scene, channel: str) -> None:
    """The oldest waiting task behind any number of finished ones; with a cursor it is a page of everything."""
    for i in range(12):
        await scene.done("owner", "POST", f"/v1/channels/{channel}/messages", {"content": str(i)})
    for _ in range(9):
        claim = await scene.done("owner", "POST", "/v1/tasks/claim", {"channel": channel})
        await scene.done("owner", "POST", f"/v1/messages/{claim['claimed']['id']}/ack", {})
    now = (await scene.done("owner", "GET", f"/v1/channels/{channel}/messages?limit=4"))["data"]
    assert [(each["content"], each["status"]) for each in now] == [
        ("7", "acknowledged"), ("8", "acknowledged"), ("9", "unclaimed"), ("10", "unclaimed")
    ]  # fmt: skip
    paged = (await scene.done("owner", "GET", f"/v1/channels/{channel}/messages?limit=4&cursor=0"))["data"]
    assert [each["content"] for each in paged] == ["0", "1", "2", "3"]


SINCE: list[Row] = [
    *(("owner", "GET", f"/v1/channels/<open>/messages?since={since}", None, 200, "") for since in ("0", "", "2026-11-22")),
    ("owner", "GET", "/v1/channels/<open>/messages?since=yesterday", None, 422, "invalid_cursor"),
]


@pytest.mark.parametrize("row", SINCE, ids=named)
async def test_6_since_is_a_cursor_a_zero_or_a_timestamp(scene: Scene, row: Row) -> None:
    """Anything else is refused, not taken for the beginning."""
    await scene.check(row)


async def test_6_an_empty_page_repeats_its_cursor(scene: Scene, channel: str) -> None:
    """Who polls never falls back to the beginning."""
    posted = await scene.done("owner", "POST", f"/v1/channels/{channel}/messages", {"content": "x"})
    for cursor in (posted["next_cursor"], "0" if not posted else posted["next_cursor"]):
        page = await scene.done("owner", "GET", f"/v1/channels/{channel}/messages?since={cursor}")
        assert (page["data"], page["next_cursor"]) == ([], cursor)


async def test_7_a_result_is_the_holder_s_and_its_readers_are_few(scene: Scene, channel: str) -> None:
    """The poster, the finisher and the members see it; nobody else does, and nobody else can make one."""
    task = (await scene.done("owner", "POST", f"/v1/channels/{channel}/messages", {"content": "x"}))["message"]["id"]
    await scene.check(("owner", "GET", f"/v1/tasks/{task}/result", None, 404, "result_not_ready"))
    await scene.check(("stranger", "POST", f"/v1/tasks/{task}/result", {"content": "forged"}, 409, "not_claimed"))
    await scene.done("member", "POST", f"/v1/messages/{task}/claim", {})
    await scene.done("member", "POST", f"/v1/messages/{task}/ack", {"result": {"n": 17}})
    for who in ("owner", "member"):
        assert (await scene.done(who, "GET", f"/v1/messages/{task}"))["outcome"]["result"] == {"n": 17}
    hidden = await scene.done("stranger", "GET", f"/v1/messages/{task}")
    assert (hidden["outcome"]["result"], hidden["result_withheld"]) == (None, True)
    await scene.check(("stranger", "GET", f"/v1/tasks/{task}/result", None, 403, "forbidden"))


async def test_8_a_key_without_a_scope_is_told_which(scene: Scene) -> None:
    """On every verb that asks for one; tests/contract/test_credentials.py has the table and tries all of it."""
    await scene.join("mute")
    await scene.done("mute", "PUT", "/v1/keys/me/scopes", {"scopes": ["channels:read"]})
    for method, path, body, scope in (
        ("POST", "/v1/channels", {"name": "x", "mode": "claimable"}, "channels:write"),
        ("PATCH", "/v1/channels/<open>", {"description": "x"}, "channels:manage"),
        ("DELETE", "/v1/channels/<open>", None, "channels:manage"),
        ("POST", "/v1/channels/<open>/messages", {"content": "x"}, "messages:write"),
        ("GET", "/v1/channels/<open>/messages", None, "messages:read"),
        ("GET", "/v1/channels/<open>/history", None, "messages:read"),
        ("POST", "/v1/messages/<task>/claim", {}, "messages:claim"),
        ("POST", "/v1/messages/<task>/ack", {}, "messages:ack"),
        ("DELETE", "/v1/messages/<task>", None, "messages:write"),
    ):
        found = await scene.check(("mute", method, path, body, 403, "insufficient_scope"))
        assert (found["required_scope"], found["granted_scopes"]) == (scope, ["channels:read"])


async def test_9_content_is_stored_as_it_was_sent(scene: Scene, channel: str) -> None:
    """Not trimmed, not normalised; blank is refused with the field named."""
    content = "  \u0041\u030a\r\n\t\u0000 \U0001f600 "
    posted = await scene.done("owner", "POST", f"/v1/channels/{channel}/messages", {"content": content})
    assert (await scene.done("owner", "GET", f"/v1/messages/{posted['message']['id']}"))["content"] == content
    found = await scene.check(("owner", "POST", "/v1/channels/<mine>/messages", {"content": " \n"}, 422, "invalid_string"))
    assert found["field"] == "content"


async def test_10_a_webhook_leads_to_no_private_address(scene: Scene) -> None:
    """Unless the operator allows it, as this server's does 127.0.0.1; and no answer shows where one leads."""
    for url in ("http://10.0.0.1/", "http://169.254.169.254/", "http://[::1]/", "http://2130706434/", "http://localhost./"):
        body = {"name": "hooked", "mode": "broadcast", "webhook_url": url}
        await scene.check(("owner", "POST", "/v1/channels", body, 422, "invalid_webhook_url"))


async def test_no_secret_is_logged(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a key, right or wrong, nor the admin token, nor what signs a webhook; at no level, whatever the answer."""
    wrong = "bck_AAAAAAAAAAAA.never-was-a-secret-of-anybody"
    with caplog.at_level(logging.DEBUG):
        async with httpx.AsyncClient(base_url=scene.url) as client:
            for headers in ({"X-API-Key": wrong}, {"Authorization": f"Bearer {wrong}"}, {"X-Admin-Token": wrong}):
                await client.get("/v1/keys/me", headers=headers)
                await client.post("/v1/admin/minting", json={}, headers=headers)
        body = {"name": f"logged-{uuid4().hex[:8]}", "mode": "broadcast", "webhook_url": f"http://127.0.0.1:9/?t={HOOK_SECRET}"}
        made = await scene.done("owner", "POST", "/v1/channels", {**body, "webhook_secret": HOOK_SECRET})
        await scene.done("owner", "POST", f"/v1/channels/{made['id']}/messages", {"content": "x"})
        await scene.check(("admin", "POST", "/v1/admin/minting", {}, 422, "invalid_field"))
        await scene.done("owner", "DELETE", f"/v1/channels/{made['id']}")
    told = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    for secret in (*scene.watch.secrets, wrong, wrong.partition(".")[2]):
        assert not [line for line in told if secret in line]


async def test_a_failure_is_logged_without_what_the_path_held(caplog: pytest.LogCaptureFixture) -> None:
    """By the route's template: an invitation's id lets in whoever reads it, and a line break begins another line."""
    app = FastAPI()

    async def fail() -> None:
        raise ZeroDivisionError

    app.add_api_route("/v1/channel-invitations/{invitation_id}", fail)
    install(app)
    app.add_middleware(Edge, settings=Settings(redis_url="memory://"), metrics=Metrics(), routes=routes_of(app))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        answer = await client.get("/v1/channel-invitations/capability%0Aforged")
    body = answer.json()
    assert (answer.status_code, body["error"]) == (500, "internal_server_error")
    told = [record.getMessage() for record in caplog.records if record.name == "backchannel.api"]
    assert told == [f"request {body['request_id']} failed: GET /v1/channel-invitations/{{invitation_id}}"]
    assert "capability" not in answer.text
