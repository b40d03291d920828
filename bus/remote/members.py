"""Members of channels behind the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bus.models import Caller, Member, MembershipEvent, Page

from . import reading
from .http import Http, segment


class RemoteMembers:
    def __init__(self, http: Http) -> None:
        self._http = http

    async def list(self, caller: Caller, channel: str) -> Sequence[Member]:
        answer = await self._http.get(caller, _members(channel))
        return answer.read(lambda body: [member(each) for each in body["data"]])

    async def add(self, caller: Caller, channel: str, key_id: str) -> Member:
        return (await self._http.post(caller, _members(channel), {"key_id": key_id}, repeatable=True)).read(member)

    async def remove(self, caller: Caller, channel: str, key_id: str) -> None:
        await self._http.call("DELETE", caller, f"{_members(channel)}/{segment(key_id)}", keyed=True)

    async def events(self, caller: Caller, channel: str, *, since: str | None = None, limit: int = 50) -> Page[MembershipEvent]:
        path = f"/v1/channels/{segment(channel)}/events"
        answer = await self._http.get(caller, path, params={"since": since, "limit": limit})
        return answer.read(lambda body: reading.page(body, membership_event))


def member(m: Mapping[str, Any]) -> Member:
    return Member(m["channel_id"], m["key_id"], reading.moment(m["granted_at"]), m["granted_via_invitation_id"])


def membership_event(e: Mapping[str, Any]) -> MembershipEvent:
    return MembershipEvent(
        id=e["id"],
        channel=e["channel_id"],
        event_type=e["event_type"],
        actor_key_id=e["actor_key_id"],
        subject_key_id=e["subject_key_id"],
        invitation_id=e["invitation_id"],
        created_at=reading.moment(e["created_at"]),
        expires_at=reading.moment(e["expires_at"]),
    )


def _members(channel: str) -> str:
    return f"/v1/channels/{segment(channel)}/members"
