"""A web page of another origin uses the API as any client does, as far as a real browser lets it."""

from __future__ import annotations

import pytest

from .conftest import Run

pytestmark = pytest.mark.anyio

ASK = """
const ask = async (method, path, { headers = { "X-API-Key": key }, body } = {}) => {
  const answer = await fetch(api + path, { method, headers: { "Content-Type": "application/json", ...headers },
                                           body: body && JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, body: text && JSON.parse(text), headers: Object.fromEntries(answer.headers) };
};
"""


async def test_a_page_with_a_key_uses_every_method(in_page: Run) -> None:
    """Key, idempotency key and JSON body pass the browser's preflight, whatever the method."""
    found = await in_page(
        ASK
        + """
        const name = { name: "pages", mode: "claimable" };
        const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
        const headers = { "X-API-Key": key, "Idempotency-Key": "page-1", traceparent };
        return {
          made: await ask("POST", "/v1/channels", { headers, body: name }),
          got: await ask("GET", "/v1/channels/pages", { headers: { Authorization: "Bearer " + key } }),
          changed: await ask("PATCH", "/v1/channels/pages", { body: { description: "of a page" } }),
          narrowed: await ask("PUT", "/v1/keys/me/scopes", { body: { scopes: ["channels:read", "channels:manage"] } }),
          looked: await ask("HEAD", "/v1/channels/pages"),
          deleted: await ask("DELETE", "/v1/channels/pages", { headers }),
        };
        """
    )
    assert {name: answer["status"] for name, answer in found.items()} == {
        "made": 201, "got": 200, "changed": 200, "narrowed": 200, "looked": 200, "deleted": 204,
    }  # fmt: skip
    assert found["got"]["body"]["id"] == "pages"
    assert found["changed"]["body"]["description"] == "of a page"
    seen = found["made"]["headers"]
    assert (seen["idempotency-key"], seen["x-idempotency-source"]) == ("page-1", "client")
    assert seen["traceparent"].startswith("00-aaaa")
    assert {"x-request-id", "x-ratelimit-limit", "x-ratelimit-window", "x-ratelimit-remaining", "link"} <= set(seen)


async def test_a_page_can_read_why_it_was_refused(in_page: Run) -> None:
    """An error that a page cannot read looks like a network that is down."""
    found = await in_page(
        ASK
        + """
        return {
          nobody: await ask("GET", "/v1/keys/me", { headers: { "X-API-Key": "bck_nobody.x" } }),
          nowhere: await ask("POST", "/v1/tasks/claim", { body: {} }),
          method: await ask("PUT", "/v1/tasks/claim", { body: {} }),
        };
        """
    )
    assert [(answer["status"], answer["body"]["error"]) for answer in found.values()] == [
        (401, "unauthorized"), (422, "missing_field"), (405, "method_not_allowed"),
    ]  # fmt: skip
    assert found["nobody"]["headers"]["www-authenticate"].startswith("Bearer")
    assert found["method"]["headers"]["allow"] == "OPTIONS, POST"
    for answer in found.values():
        assert answer["headers"]["x-request-id"] == answer["body"]["request_id"]


MINT = """
const issued = await ask("POST", "/v1/keys", { headers: {}, body: { agent_label: "page's own" } });
const call = { jsonrpc: "2.0", id: 1, method: "tools/list" };
const mcp = await ask("POST", "/mcp", { headers: { "X-API-Key": "x", "Mcp-Protocol-Version": "2026-07-28" }, body: call });
return { issued, mcp };
"""


async def test_a_page_that_somebody_happens_to_visit_gets_no_key(in_page: Run) -> None:
    """The browser sends its origin, and the server mints no key for a page it does not know, nor serves it MCP."""
    found = await in_page(ASK + MINT)
    for answer in found.values():
        assert (answer["status"], answer["body"]["error"]) == (403, "origin_not_allowed")


async def test_a_page_that_the_operator_allowed_gets_a_key(in_allowed_page: Run) -> None:
    """Its host and port are in BACKCHANNEL_ALLOWED_HOSTS."""
    found = await in_allowed_page(ASK + MINT)
    assert found["issued"]["status"] == 201
    assert found["issued"]["body"]["key"].startswith("bck_")
    assert (found["mcp"]["status"], found["mcp"]["body"]["error"]) == (401, "unauthorized")
