"""Access to restricted channels behind the HTTP API."""

from __future__ import annotations

from collections.abc import Sequence

from bus.models import AccessAnswer, AccessRequest, Caller

from . import reading
from .http import Http, segment


class RemoteAccess:
    def __init__(self, http: Http) -> None:
        self._http = http

    async def request_access(self, caller: Caller, channel: str, *, reason: str | None = None) -> AccessAnswer:
        answer = await self._http.post(caller, _requests(channel), {"reason": reason}, repeatable=True)
        return answer.read(lambda body: AccessAnswer(body["status"], body.get("request_id")))

    async def list_access_requests(self, caller: Caller, channel: str) -> Sequence[AccessRequest]:
        answer = await self._http.get(caller, _requests(channel))
        return answer.read(lambda body: reading.page({"next_cursor": None, **body}, reading.access_request)).items

    async def approve_access_request(self, caller: Caller, channel: str, request_id: str) -> AccessRequest:
        return await self._resolve(caller, channel, request_id, "approve")

    async def deny_access_request(self, caller: Caller, channel: str, request_id: str) -> AccessRequest:
        return await self._resolve(caller, channel, request_id, "deny")

    async def _resolve(self, caller: Caller, channel: str, request_id: str, verdict: str) -> AccessRequest:
        path = f"{_requests(channel)}/{segment(request_id)}/{verdict}"
        return (await self._http.post(caller, path, keyed=True)).read(reading.access_request)


def _requests(channel: str) -> str:
    return f"/v1/channels/{segment(channel)}/access-requests"
