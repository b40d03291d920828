"""The checks of a server of this bus, over HTTP: alive, ready, its version, its MCP endpoint, our API key."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any, Final

import httpx

from .. import __version__
from ..errors import InvalidInput
from ..keyring import Keyring
from ..settings import Settings
from .finding import Finding, fail, ok, warn

TIMEOUT_SECONDS: Final = 5.0
_OK, _UNAUTHORIZED, _UNAVAILABLE = 200, 401, 503
_INITIALIZE: Final = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "backchannel-doctor", "version": __version__},
    },
}


async def of_base_url(settings: Settings) -> AsyncGenerator[Finding]:
    """What BACKCHANNEL_BASE_URL leads to, with the API key that this user would show there."""
    base_url = settings.base_url or ""
    async with httpx.AsyncClient(base_url=base_url, timeout=TIMEOUT_SECONDS) as client:
        health = await _json(client, "/health")
        if not isinstance(health, dict):
            yield fail(
                "reachable", f"{settings.where}: {health}", "see that `backchannel serve` runs there, and the network between"
            )
            return
        yield ok("reachable", f"{settings.where} answers")
        yield _version(str(health.get("version")))
        yield await _ready(client)
        api_key, complaint = _kept_key(settings)
        yield complaint or await _key(client, api_key)
        yield await _mcp(client, api_key)


async def of_local_server(settings: Settings) -> AsyncGenerator[Finding]:
    """The server on this machine, when there is one; without one, stdio servers use the store directly."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 - what may be listened on
    where = f"http://{host}:{settings.port}"
    async with httpx.AsyncClient(base_url=where, timeout=TIMEOUT_SECONDS) as client:
        health = await _json(client, "/health")
        if isinstance(health, dict):
            yield _version(str(health.get("version")))
            yield await _mcp(client, None)
        else:
            yield ok("MCP endpoint", f"no server of this bus on {where}; `backchannel-mcp` needs none")


async def _json(client: httpx.AsyncClient, path: str) -> dict[str, Any] | str:
    """The body of our own server's answer, or why there is none."""
    try:
        answer = await client.get(path)
        body: Any = answer.json()
    except httpx.HTTPError as why:
        return str(why) or type(why).__name__
    except ValueError:
        return f"something else than Backchannel answers there (no JSON at {path})"
    if not isinstance(body, dict) or "version" not in body:
        return f"something else than Backchannel answers there ({answer.status_code} at {path})"
    return body  # pyright: ignore[reportUnknownVariableType] - any JSON object


def _version(there: str) -> Finding:
    if there == __version__:
        return ok("server version", there)
    return warn("server version", f"the server is {there}, this is {__version__}", "run the same version on both sides")


async def _ready(client: httpx.AsyncClient) -> Finding:
    try:
        answer = await client.get("/ready")
        body: Any = answer.json()
    except (httpx.HTTPError, ValueError) as why:
        return fail("ready", f"no answer at /ready: {why}", "see the server's log")
    if answer.status_code == _OK:
        return ok("ready", f"its store answers: {body.get('server')}, notifications by {body.get('notifications')}")
    return fail(
        "ready", str(body.get("message", answer.status_code)), "run `backchannel doctor` on the server, with its settings"
    )


def _kept_key(settings: Settings) -> tuple[str | None, Finding | None]:
    if settings.api_key is not None:
        return settings.api_key.get_secret_value(), None
    try:
        kept = Keyring(settings.config_dir, settings.where, remote=True).read()
    except (OSError, InvalidInput) as unreadable:
        return None, fail("API key", f"the kept one cannot be read: {unreadable}", "mend or remove that file")
    return kept, None if kept else ok("API key", "none yet; the first that needs one mints it")


async def _key(client: httpx.AsyncClient, api_key: str | None) -> Finding:
    try:
        answer = await client.get("/v1/keys/me", headers={"X-API-Key": api_key or ""})
    except (httpx.HTTPError, ValueError) as why:
        return fail("API key", f"the server cannot be asked: {type(why).__name__}", "see that the key is one line of ASCII")
    if answer.status_code == _OK:
        return ok("API key", "the server knows it")
    if answer.status_code == _UNAUTHORIZED:
        return fail(
            "API key",
            "the server does not know it, or it was revoked",
            "unset BACKCHANNEL_API_KEY or give a good one; a kept key is replaced when it is used the next time",
        )
    return warn("API key", f"the server answered {answer.status_code}", "try again")


async def _mcp(client: httpx.AsyncClient, api_key: str | None) -> Finding:
    headers = {"Accept": "application/json, text/event-stream"} | ({"X-API-Key": api_key} if api_key else {})
    try:
        answer = await client.post("/mcp", json=_INITIALIZE, headers=headers)
    except (httpx.HTTPError, ValueError) as why:
        return fail("MCP endpoint", f"{client.base_url}mcp cannot be asked: {type(why).__name__}", "see the server's log")
    if answer.status_code == _UNAUTHORIZED and not api_key:
        return ok("MCP endpoint", f"{client.base_url}mcp is there and asks for an API key")
    if answer.status_code == _OK and _speaks(answer.text):
        return ok("MCP endpoint", f"{client.base_url}mcp speaks MCP")
    return fail(
        "MCP endpoint",
        f"{client.base_url}mcp answered {answer.status_code} to initialize",
        "see the server's log, and that a proxy in front of it lets POST /mcp through",
    )


def _speaks(text: str) -> bool:
    """Whether the answer, JSON or an event stream, holds the server's greeting."""
    rows = [line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith(("data:", "{"))]
    for row in filter(None, rows):
        try:
            said: Any = json.loads(row)
        except ValueError:
            continue
        if isinstance(said, dict) and "serverInfo" in said.get("result", {}):  # pyright: ignore[reportUnknownMemberType] - any JSON object
            return True
    return False
