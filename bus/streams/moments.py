"""Moments as Redis counts them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(ms: str | int | float) -> datetime:
    """From milliseconds since 1970."""
    return datetime.fromtimestamp(float(ms) / 1000, UTC)


def optional_moment(ms: str | int | float | None) -> datetime | None:
    """The same; None where there is none, or 0."""
    return moment(ms) if ms and float(ms) else None
