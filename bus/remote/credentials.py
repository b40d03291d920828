"""API keys behind the HTTP API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import httpx

from bus import checks
from bus.models import Allowance, AuditEntry, Caller, IssuedKey
from bus.models.callers import NO_LIMIT

from . import reading
from .http import Answer, Http


class RemoteCredentials:
    def __init__(self, http: Http) -> None:
        self._http = http

    async def issue(self, label: str, *, address: str | None = None) -> IssuedKey:
        """`address` is the server's to see."""
        return (await self._http.post(None, "/v1/keys", {"agent_label": label})).read(issued_key)

    async def verify(self, api_key: str) -> Caller:
        return _caller(await self._look(api_key), api_key, None)

    async def admit(self, api_key: str, *, address: str | None = None) -> tuple[Caller, Allowance]:
        answer = await self._look(api_key)
        return _caller(answer, api_key, address), answer.read(lambda _: _allowance(answer.headers))

    async def _look(self, api_key: str) -> Answer:
        return await self._http.get(Caller("", "", api_key=api_key), "/v1/keys/me")

    async def confirm(self, caller: Caller) -> None:
        """Nothing to ask: the server verifies the key of each request."""

    async def revoke(self, caller: Caller) -> None:
        await self._http.call("DELETE", caller, "/v1/keys/me")

    async def set_scopes(self, caller: Caller, scopes: Sequence[str]) -> Caller:
        answer = await self._http.send("PUT", caller, "/v1/keys/me/scopes", {"scopes": listed(scopes)}, repeatable=True)
        return replace(caller, scopes=answer.read(scopes_of))

    async def usage(self, caller: Caller) -> Allowance:
        answer = await self._http.get(caller, "/account/usage")
        return answer.read(lambda body: _usage(body["rate_limit"]))

    async def audit(self, caller: Caller, *, limit: int = 100) -> Sequence[AuditEntry]:
        most = checks.audit_limit(limit)  # the wire takes any number and clamps it
        answer = await self._http.get(caller, "/v1/security/audit", params={"limit": most})
        return answer.read(lambda body: [audit_entry(each) for each in body["data"]])


def _caller(answer: Answer, api_key: str, address: str | None) -> Caller:
    return answer.read(lambda body: Caller(body["key_id"], body["owner_id"], scopes_of(body), api_key, address))


def issued_key(body: reading.Json) -> IssuedKey:
    return IssuedKey(body["key_id"], body["agent_label"], body["key"], reading.moment(body["created_at"]))


def scopes_of(body: reading.Json) -> frozenset[str] | None:
    return None if body["scopes"] is None else frozenset(body["scopes"])


def listed(scopes: Sequence[str] | None) -> object:
    """Any collection as JSON knows it; what is none is sent as it is, for the server to refuse."""
    return sorted(scopes) if isinstance(scopes, set | frozenset) else list(scopes) if isinstance(scopes, tuple) else scopes


def audit_entry(body: reading.Json) -> AuditEntry:
    return AuditEntry(
        id=body["id"],
        occurred_at=reading.moment(body["occurred_at"]),
        event_type=body["event_type"],
        actor_key_id=body["actor_key_id"],
        subject_key_id=body["subject_key_id"],
        remote_addr=body["remote_addr"],
        detail=body["detail"],
    )


def _allowance(headers: httpx.Headers) -> Allowance:
    limit, window = int(headers["X-RateLimit-Limit"]), timedelta(seconds=int(headers["X-RateLimit-Window"]))
    return Allowance(limit, window, int(headers["X-RateLimit-Remaining"]) if limit else NO_LIMIT)


def _usage(body: reading.Json) -> Allowance:
    return Allowance(body["requests_per_window"], timedelta(seconds=body["window_seconds"]), body["remaining"])
