"""What every error of the bus is."""

from __future__ import annotations

from typing import Any, ClassVar


class BusError(Exception):
    """Something the caller asked for cannot be done.

    `message` says what happened and what to do next; `details` are the machine-readable extras, which the HTTP
    API puts at the top level of its error body. Neither ever holds a secret.
    """

    code: ClassVar[str] = "bus_error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
