"""The JSON of the first Backchannel's combined verbs."""

from __future__ import annotations

from typing_extensions import TypedDict  # pydantic documents typing's own only from Python 3.12 on

from .channels import ChannelJson
from .invitations import InvitationJson
from .messages import MessageJson, PostedJson


class PostedWithResultJson(PostedJson):
    """`result_channel` is always null: the result comes with the ack, and is read at `result_url`."""

    result_channel: None
    result_url: str


class ResultPostedJson(TypedDict):
    """`result_channel` is always null: the result is the task's own."""

    result_channel: None
    message: MessageJson


class ClaimableSessionJson(TypedDict):
    """Whoever has the invitation's id may enter the channel."""

    channel: ChannelJson
    invitation: InvitationJson
