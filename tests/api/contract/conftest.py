"""The contract as rows: who asks what, and what comes back. Every answer is also checked for what holds of all answers."""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import jsonschema_rs
import pytest

from api.serving import serving
from bus import Settings

from ..conftest import UNLIMITED

Row = tuple[str, str, str, Any, int, str]
"""Who (owner, member, stranger, nobody, admin), method, path, body (None: none), status, error code ('' for a success).
`<name>` in a path or a body stands for what the scene has under that name."""
ADMIN_TOKEN = "open-sesame-for-tests"  # of a server that lives as long as the test
HOOK_SECRET = "hush-of-the-webhook"  # the same
_MARK = re.compile(r"<(\w+)>")
_UNDOCUMENTED = {"not_found", "method_not_allowed"}  # of paths and methods that are not there


@pytest.fixture(scope="session")
def contract_settings() -> Generator[Settings]:
    with tempfile.TemporaryDirectory(prefix="bcc-", ignore_cleanup_errors=True) as folder:
        yield Settings(
            data_dir=Path(folder), host="127.0.0.1", port=0, admin_token=ADMIN_TOKEN, webhook_allow="127.0.0.1", **UNLIMITED
        )


@dataclass
class Watch:
    """Looks at every answer: its headers, its error, that OpenAPI tells of it, that it shows no secret."""

    secrets: set[str] = field(default_factory=lambda: {ADMIN_TOKEN, HOOK_SECRET})
    document: dict[str, Any] = field(default_factory=dict[str, Any])

    async def __call__(self, answer: httpx.Response) -> None:
        await answer.aread()
        UUID(answer.headers["X-Request-Id"])
        assert {"traceparent", "x-ratelimit-limit", "x-ratelimit-window", "content-security-policy"} <= set(answer.headers)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert not any(secret in answer.text or secret in str(answer.headers) for secret in self.secrets)
        if answer.status_code == 204 or answer.request.method == "HEAD":
            assert answer.content == b""
            return
        if answer.status_code >= 400:
            _check_error(answer)
        self._check_documented(answer)

    def _check_documented(self, answer: httpx.Response) -> None:
        told = self._told(answer.request.method, answer.request.url.path)
        code = answer.json().get("error") if "json" in answer.headers.get("Content-Type", "") else None
        if told is None or code in _UNDOCUMENTED:
            return
        found = told["responses"].get(str(answer.status_code))
        where = f"{answer.request.method} {answer.request.url.path}"
        assert found is not None, f"{where} answered {answer.status_code} {code}, which OpenAPI does not tell of"
        if code is not None:
            assert f"`{code}`" in found["description"], f"{where}: OpenAPI does not tell of {code}"
        schema = {**found["content"]["application/json"]["schema"], "components": self.document["components"]}
        jsonschema_rs.Draft202012Validator(schema).validate(answer.json())

    def _told(self, method: str, path: str) -> dict[str, Any] | None:
        for template, methods in self.document["paths"].items():
            shape = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
            if method.lower() in methods and re.fullmatch(shape, path):
                return methods[method.lower()]
        return None


def _check_error(answer: httpx.Response) -> None:
    body = answer.json()
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert body["documentation_url"].endswith(f"/docs/errors.md#{body['error'].replace('_', '-')}")
    assert isinstance(body["message"], str)
    assert body["message"]
    assert "Link" not in answer.headers


@dataclass
class Scene:
    """A server with an owner, a member and a stranger, and what the rows name."""

    url: str
    watch: Watch
    who: dict[str, httpx.AsyncClient] = field(default_factory=dict[str, httpx.AsyncClient])
    names: dict[str, str] = field(default_factory=dict[str, str])

    async def join(self, name: str) -> httpx.AsyncClient:
        """A new API key; its label is `<name>_label`, its id `<name>_id`."""
        label = f"{name}-{uuid4().hex[:8]}"
        async with httpx.AsyncClient(base_url=self.url) as client:
            issued = (await client.post("/v1/keys", json={"agent_label": label})).json()
        self.who[name] = self.client({"X-API-Key": issued["key"]})
        self.names |= {f"{name}_label": label, f"{name}_id": issued["key_id"]}
        self.watch.secrets.add(issued["key"])
        return self.who[name]

    def client(self, headers: dict[str, str]) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=30, headers=headers, event_hooks={"response": [self.watch]})

    def filled(self, value: Any) -> Any:
        if isinstance(value, str):
            return _MARK.sub(lambda found: self.names[found[1]], value)
        if isinstance(value, dict):
            return {name: self.filled(each) for name, each in value.items()}
        return [self.filled(each) for each in value] if isinstance(value, list) else value

    async def ask(self, who: str, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        sent = {} if body is None else {"json": self.filled(body)}
        return await self.who[who].request(method, self.filled(path), **sent, **more)

    async def done(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """The body of a success."""
        answer = await self.ask(who, method, path, body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def check(self, row: Row) -> dict[str, Any]:
        who, method, path, body, status, code = row
        answer = await self.ask(who, method, path, body)
        found = answer.json() if answer.content else {}
        assert (answer.status_code, found.get("error", "")) == (status, code), answer.text
        return found


@pytest.fixture(scope="session")
async def scene(contract_settings: Settings) -> AsyncGenerator[Scene]:
    """One for all rows: what a row changes or deletes, it makes for itself."""
    async with serving(contract_settings) as url:
        found = Scene(url, Watch())
        async with httpx.AsyncClient(base_url=url) as client:
            found.watch.document = (await client.get("/openapi.json")).json()
        found.who = {"nobody": found.client({}), "admin": found.client({"X-Admin-Token": ADMIN_TOKEN})}
        for name in ("owner", "member", "stranger"):
            await found.join(name)
        await _furnish(found)
        yield found
        for client in found.who.values():
            await client.aclose()


async def _furnish(scene: Scene) -> None:
    unique = uuid4().hex[:6]
    for name, settings in {
        "open": {"mode": "claimable"},
        "closed": {"mode": "claimable", "access": "restricted"},
        "news": {"mode": "broadcast"},
    }.items():
        scene.names[name] = (await scene.done("owner", "POST", "/v1/channels", {"name": f"{name}-{unique}", **settings}))["id"]
        scene.names[f"{name}_alias"] = f"{name}-alias-{unique}"
        await scene.done("owner", "POST", f"/v1/channels/<{name}>/aliases", {"alias": f"<{name}_alias>"})
    await scene.done("owner", "POST", "/v1/channels/<closed>/members", {"key_id": "<member_id>"})
    scene.names["task"] = (await scene.done("owner", "POST", "/v1/channels/<open>/messages", {"content": "x"}))["message"]["id"]


@pytest.fixture
async def channel(scene: Scene) -> str:
    """The id of a channel of the row's own, which `<mine>` names."""
    made = await scene.done("owner", "POST", "/v1/channels", {"name": f"mine-{uuid4().hex[:8]}", "mode": "claimable"})
    scene.names["mine"] = made["id"]
    return made["id"]


def named(row: Row) -> str:
    who, method, path, body, status, code = row
    return f"{who} {method} {path} {body if body is not None else ''} {status} {code}"
