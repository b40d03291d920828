"""Moments as the contract writes them, also inside an error's details."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bus.message_json import stamp, stamp_or_none

__all__ = ["plain", "stamp", "stamp_or_none"]


def plain(value: Any) -> Any:
    """An error's detail as JSON: moments become timestamps."""
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # any JSON
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]  # any JSON
    return value
