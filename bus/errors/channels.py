"""Errors of channels and of access to them."""

from __future__ import annotations

from .base import BusError


class ChannelNotFound(BusError):
    """No channel of that name. Details: `nearest`, the existing names most like it."""

    code = "channel_not_found"


class ChannelExists(BusError):
    """The channel exists with another mode or access."""

    code = "channel_exists"


class ChannelNotEmpty(BusError):
    """The mode of a channel that has held messages cannot change."""

    code = "channel_not_empty"


class ChannelAccessDenied(BusError):
    """The channel is restricted and the API key is not a member."""

    code = "channel_access_denied"


class ChannelNotClaimable(BusError):
    """A task verb on a broadcast channel."""

    code = "channel_not_claimable"


class ChannelNotBroadcast(BusError):
    """A broadcast verb on a claimable channel."""

    code = "channel_not_broadcast"


class ChannelPaused(BusError):
    """The channel takes no messages for now. Details: `retry_after` seconds."""

    code = "channel_paused"


class ChannelFull(BusError):
    """The channel holds as many unfinished tasks as its `max_messages` allows. Nothing was stored."""

    code = "channel_full"


class ChannelWriteRateExceeded(BusError):
    """More posts a minute than the channel allows. Details: `retry_after` seconds."""

    code = "channel_write_rate_exceeded"


class AccessRequestNotFound(BusError):
    """No access request with that id on the channel."""

    code = "access_request_not_found"


class AccessRequestResolved(BusError):
    """The access request was approved or denied before."""

    code = "access_request_resolved"


class CannotRemoveOwner(BusError):
    """The owner of a channel stays its member."""

    code = "cannot_remove_owner"


class InvitationNotFound(BusError):
    """No such invitation (any more)."""

    code = "invitation_not_found"


class InvitationRevoked(BusError):
    """The invitation was taken back."""

    code = "invitation_revoked"


class InvitationExpired(BusError):
    """The invitation's time is over."""

    code = "invitation_expired"
