"""Invitations behind the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bus.models import Caller, Invitation, InvitedChannel, Mode

from . import reading
from .http import Http, segment


class RemoteInvitations:
    def __init__(self, http: Http) -> None:
        self._http = http

    async def create(self, caller: Caller, channel: str) -> Invitation:
        return (await self._http.post(caller, f"/v1/channels/{segment(channel)}/invitations")).read(invitation)

    async def count_lookup(self, address: str | None) -> None:
        """Nothing to count: the server counts by the address it sees."""

    async def accept(self, caller: Caller, invitation_id: str) -> Invitation:
        return (await self._http.get(caller, _path(invitation_id))).read(invitation)

    async def get(self, caller: Caller, invitation_id: str) -> Invitation:
        return (await self._http.get(caller, _path(invitation_id), params={"accept": "false"})).read(invitation)

    async def revoke(self, caller: Caller, invitation_id: str) -> Invitation:
        return (await self._http.call("DELETE", caller, _path(invitation_id), repeatable=True)).read(invitation)


def invitation(i: Mapping[str, Any]) -> Invitation:
    c = i["channel"]
    return Invitation(
        id=i["id"],
        channel=InvitedChannel(c["id"], c["name"], Mode(c["mode"]), c["description"]),
        owner_label=i["owner_id"],
        created_by_key_id=i["created_by_key_id"],
        created_at=reading.moment(i["created_at"]),
        expires_at=reading.moment(i["expires_at"]),
        revoked_at=reading.moment_or_none(i["revoked_at"]),
        active=i["active"],
    )


def _path(invitation_id: str) -> str:
    return f"/v1/channel-invitations/{segment(invitation_id)}"
