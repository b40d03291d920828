"""What is said to a call that is over a rate limit."""

from __future__ import annotations

import math

from .errors import RateLimitExceeded
from .models import Allowance


def exceeded(allowance: Allowance, whose: str) -> RateLimitExceeded:
    """The error of a call that was not let through; `whose`: what the limit is on, as in `this API key`."""
    seconds = math.ceil(allowance.retry_after.total_seconds())
    return RateLimitExceeded(
        f"{whose} is over its limit of {allowance.limit} requests in {allowance.window.total_seconds():.0f} s; "
        f"the next one is let through in {seconds} s",
        retry_after=seconds,
    )
