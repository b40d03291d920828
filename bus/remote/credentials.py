"""API keys behind the HTTP API."""

from __future__ import annotations

from bus.models import Caller, IssuedKey

from . import reading
from .http import Http


class RemoteCredentials:
    def __init__(self, http: Http) -> None:
        self._http = http

    async def issue(self, label: str) -> IssuedKey:
        answer = await self._http.post(None, "/v1/keys", {"agent_label": label})
        return answer.read(
            lambda body: IssuedKey(body["key_id"], body["agent_label"], body["key"], reading.moment(body["created_at"]))
        )

    async def verify(self, api_key: str) -> Caller:
        unverified = Caller("", "", api_key=api_key)
        answer = await self._http.get(unverified, "/v1/keys/me")
        return answer.read(
            lambda body: Caller(
                body["key_id"],
                body["owner_id"],
                None if body["scopes"] is None else frozenset(body["scopes"]),
                api_key,
            )
        )

    async def confirm(self, caller: Caller) -> None:
        """Nothing to ask: the server verifies the key of each request."""

    async def revoke(self, caller: Caller) -> None:
        await self._http.call("DELETE", caller, "/v1/keys/me")
