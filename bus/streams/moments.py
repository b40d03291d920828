"""Moments as Redis counts them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(ms: str | int | float) -> datetime:
    """From milliseconds since 1970."""
    return datetime.fromtimestamp(float(ms) / 1000, UTC)
