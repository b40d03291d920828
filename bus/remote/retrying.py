"""When a request is sent again, and how long it is waited before."""

from __future__ import annotations

import asyncio
import random
import ssl
from time import monotonic
from typing import Final

import httpx

from bus.errors import BusError, StoreUnavailable

_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 2.0
_LONGEST_HINT_SECONDS: Final = 60.0
# These end before the first byte of the request is sent.
_BEFORE_IT_IS_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

# A proxy without a server to pass requests on to.
_PASSING: Final = frozenset({502, 503, 504})
_LONGEST_NUMBER: Final = 6


class NoAnswer(StoreUnavailable):
    """Nothing came that the bus has said. Its `retry_after` is for whoever gets this error in the end."""

    lasting: bool = False
    """Whether trying again would end in the same way."""
    hint_seconds: float = 0
    """What whoever answered in the bus's place asked to be left alone for."""


class Pauses:
    """Pauses that grow, each at random between half of its length and all of it, so that clients whose server came
    back do not ask it in step. A server that says when to come back is not asked before."""

    def __init__(self) -> None:
        self._pause = _FIRST_PAUSE_SECONDS

    def next(self, failed: BusError | None = None) -> float:
        """Seconds until the next attempt, after it `failed` so."""
        pause = self._pause * random.uniform(0.5, 1)  # noqa: S311  # jitter, not a secret
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
        return max(pause, _hint(failed))

    def start_over(self) -> None:
        self._pause = _FIRST_PAUSE_SECONDS


class Budget:
    """The time within which one call may be sent again. `seconds` 0: never."""

    def __init__(self, seconds: float) -> None:
        self._until = monotonic() + seconds
        self._pauses = Pauses()

    async def pause(self, failed: StoreUnavailable) -> bool:
        """Wait as long as is wise after this; False, at once, when that is longer than there is."""
        pause = self._pauses.next(failed)
        if (isinstance(failed, NoAnswer) and failed.lasting) or monotonic() + pause > self._until:
            return False
        await asyncio.sleep(pause)
        return True


def no_answer(where: str, broken: httpx.HTTPError) -> NoAnswer:
    """The bus's error for a request that got no answer; it tells whether the request was sent."""
    never_sent = isinstance(broken, _BEFORE_IT_IS_SENT)
    told = "nothing was sent" if never_sent else "whether the call took effect is unknown"
    failed = NoAnswer(
        f"{where} did not answer ({_why(broken)}); {told}. See that `backchannel serve` runs there, then try again",
        retry_after=1,
    )
    failed.nothing_done = never_sent
    failed.lasting = isinstance(broken, httpx.UnsupportedProtocol) or _is_of_tls(broken)
    return failed


def no_bus_s_answer(where: str, response: httpx.Response) -> NoAnswer:
    """The bus's error for an answer of somebody else: a proxy whose server is away, or another server altogether."""
    said = response.headers.get("Retry-After", "")
    failed = NoAnswer(
        f"{where} answered {response.status_code} without saying why; see that BACKCHANNEL_BASE_URL is a Backchannel "
        "server, or try again later",
        retry_after=int(said) if said.isascii() and said.isdigit() and len(said) < _LONGEST_NUMBER else 1,
    )
    failed.hint_seconds = failed.details["retry_after"] if said else 0
    failed.lasting = response.status_code not in _PASSING
    return failed


def _hint(failed: BusError | None) -> float:
    """What the server asked for; a broken one that names next year is not believed."""
    if failed is None:
        return 0
    said = failed.hint_seconds if isinstance(failed, NoAnswer) else failed.details.get("retry_after")
    return min(float(said), _LONGEST_HINT_SECONDS) if isinstance(said, int | float) else 0


def _why(broken: httpx.HTTPError) -> str:
    if isinstance(broken, httpx.TimeoutException):
        return "it took too long"
    return str(broken) or type(broken).__name__


def _is_of_tls(broken: BaseException | None) -> bool:
    """A certificate that is not trusted will not be the next time either."""
    while broken is not None and not isinstance(broken, ssl.SSLError):
        broken = broken.__cause__ or broken.__context__
    return broken is not None
