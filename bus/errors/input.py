"""Errors of what was sent: malformed, too large, or not the same as before."""

from __future__ import annotations

from typing import Any, ClassVar

from .base import BusError


class InvalidInput(BusError):
    """A value is malformed or out of range; nothing was stored.

    Its code is the contract's for the field (`missing_field`, `invalid_string`, `invalid_limit`, …), so it is an
    instance attribute here.
    """

    code: ClassVar[str] = "invalid_field"

    def __init__(self, message: str, *, field: str, code: str = "invalid_field", **details: Any) -> None:
        super().__init__(message, field=field, **details)
        self.reason_code = code


class ContentTooLarge(BusError):
    """Content, metadata or a result is over its limit. Details: `max_content_bytes`, `received_bytes`, `field`."""

    code = "content_too_large"


class MetadataInvalid(BusError):
    """The metadata do not fit the channel's schema. Details: `violations`, a list of {field, issue}."""

    code = "metadata_validation_failed"


class IdempotencyConflict(BusError):
    """The idempotency key was used before with another body."""

    code = "idempotency_conflict"


class IdempotencyInProgress(BusError):
    """The first call with this idempotency key has not ended yet. Details: `retry_after` seconds."""

    code = "idempotency_in_progress"
