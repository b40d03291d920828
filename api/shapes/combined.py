"""The answers of the first Backchannel's combined verbs as JSON."""

from __future__ import annotations

from urllib.parse import quote

from api.wire import combined as wire
from bus.models import Acked, Channel, Invitation, Posted

from .channels import channel
from .invitations import invitation
from .messages import message, posted


def posted_with_result(p: Posted) -> wire.PostedWithResultJson:
    return {**posted(p), "result_channel": None, "result_url": f"/v1/tasks/{quote(p.message.id, safe=':')}/result"}


def result_posted(a: Acked) -> wire.ResultPostedJson:
    return {"result_channel": None, "message": message(a.message)}


def claimable_session(c: Channel, i: Invitation) -> wire.ClaimableSessionJson:
    return {"channel": channel(c), "invitation": invitation(i)}
