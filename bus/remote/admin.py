"""Administration behind the HTTP API, with the admin token of the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bus import checks
from bus.admin import OVERLAP
from bus.models import AuditEntry, Channel, IssuedKey, KeyRecord, Page
from bus.settings import Settings

from . import reading
from .credentials import audit_entry, issued_key, listed, scopes_of
from .http import Answer, Http, segment


class RemoteAdmin:
    """`address` is the server's to see: it is taken and not sent."""

    def __init__(self, http: Http, settings: Settings) -> None:
        self._http = http
        self._token = settings.admin_token

    async def admit(self, *, right: bool, address: str | None) -> None:
        """Nothing to count: the server does."""

    async def issue_key(self, label: str, *, address: str | None = None) -> IssuedKey:
        return (await self._post("/v1/admin/keys", {"agent_label": label})).read(issued_key)

    async def list_keys(self, *, limit: int = 50, cursor: str | None = None) -> Page[KeyRecord]:
        checks.page_limit(limit)  # the wire takes any number and clamps it
        found = await self._get("/v1/admin/keys", {"limit": limit, "cursor": cursor})
        return found.read(lambda body: reading.page(body, _record))

    async def rotate_key(self, key_id: str, *, overlap: timedelta = OVERLAP, address: str | None = None) -> IssuedKey:
        body = {"overlap_seconds": overlap.total_seconds()}
        return (await self._post(f"{_key(key_id)}/rotate", body)).read(issued_key)

    async def revoke_key(self, key_id: str, *, address: str | None = None) -> KeyRecord:
        return (await self._post(f"{_key(key_id)}/revoke", {}, repeatable=True)).read(_record)

    async def set_key_scopes(self, key_id: str, scopes: Sequence[str] | None, *, address: str | None = None) -> KeyRecord:
        answer = await self._send("PUT", f"{_key(key_id)}/scopes", {"scopes": listed(scopes)}, repeatable=True)
        return answer.read(_record)

    async def set_public_minting(self, enabled: bool, *, address: str | None = None) -> bool:
        answer = await self._post("/v1/admin/minting", {"enabled": enabled}, repeatable=True)
        return answer.read(lambda body: bool(body["public_minting_enabled"]))

    async def public_minting(self) -> bool:
        answer = await self._http.get(None, "/health")
        return answer.read(lambda body: bool(body["public_minting_enabled"]))

    async def pause_channel(self, channel: str, *, address: str | None = None) -> Channel:
        return (await self._post(f"/v1/admin/channels/{segment(channel)}/pause", {}, repeatable=True)).read(reading.channel)

    async def resume_channel(self, channel: str, *, address: str | None = None) -> Channel:
        return (await self._post(f"/v1/admin/channels/{segment(channel)}/resume", {}, repeatable=True)).read(reading.channel)

    async def audit(self, *, limit: int = 100) -> Sequence[AuditEntry]:
        most = checks.audit_limit(limit)  # the wire takes any number and clamps it
        answer = await self._get("/v1/admin/audit", {"limit": most})
        return answer.read(lambda body: [audit_entry(each) for each in body["data"]])

    async def _get(self, path: str, params: Mapping[str, Any]) -> Answer:
        return await self._http.call(
            "GET", None, path, params={name: value for name, value in params.items() if value is not None},
            repeatable=True, headers=self._headers(),
        )  # fmt: skip

    async def _post(self, path: str, body: Mapping[str, Any], *, repeatable: bool = False) -> Answer:
        return await self._send("POST", path, body, repeatable=repeatable)

    async def _send(self, method: str, path: str, body: Mapping[str, Any], *, repeatable: bool = False) -> Answer:
        return await self._http.send(method, None, path, body, repeatable=repeatable, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        """Without a token the server says what is missing."""
        return {} if self._token is None else {"X-Admin-Token": self._token.get_secret_value()}


def _key(key_id: str) -> str:
    return f"/v1/admin/keys/{segment(key_id)}"


def _record(body: reading.Json) -> KeyRecord:
    return KeyRecord(
        key_id=body["key_id"],
        label=body["agent_label"],
        scopes=scopes_of(body),
        created_at=reading.moment(body["created_at"]),
        revoked_at=reading.moment_or_none(body["revoked_at"]),
        rotated_until=reading.moment_or_none(body["rotated_until"]),
    )
