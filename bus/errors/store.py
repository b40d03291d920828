"""Errors of what the bus stands on."""

from __future__ import annotations

from .base import BusError


class StoreUnavailable(BusError):
    """The store, or the bus's HTTP API, did not answer; whether the call took effect is unknown unless the message says so.
    Details: `retry_after`.
    """

    code = "store_unavailable"
    nothing_done: bool = False
    """It was never sent, or the store said that it did nothing."""
    demoted: bool = False
    """The server has become a replica: another one takes the writes."""


class Unconfirmed(StoreUnavailable):
    """With BACKCHANNEL_DURABILITY=replicated: it is done and stored, but not enough replicas have confirmed it in time. A
    repeat with the same idempotency key does nothing twice. Details: `retry_after`.
    """

    code = "unconfirmed"


class StoreFull(BusError):
    """The store is out of memory: nothing was stored; claiming and finishing go on."""

    code = "store_full"
