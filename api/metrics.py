"""How many requests there were and how long they took, as Prometheus reads it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import choose_encoder

from .cors import METHODS

OTHER = "other"
"""The label of what is not one of a few known values: a scanner must not make a series per request."""
_KNOWN_METHODS = frozenset(METHODS)
# Up to the longest wait that a client may ask for by default.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """Of one app: two apps in one process count apart."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "backchannel_requests", "Requests answered.", ("method", "path", "status"), registry=self._registry
        )
        self._duration = Histogram(
            "backchannel_request_duration_seconds",
            "From a request's headers to the end of its answer; a request that waits for work counts its wait.",
            ("method", "path"),
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def note(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count one request. `path`: the template of the route that answered, OTHER when none did."""
        found = self._children.get((method, path, status))
        if found is None:
            found = self._child(method, path, status)
        found[0].inc()
        found[1].observe(seconds)

    def _child(self, method: str, path: str, status: int) -> tuple[Counter, Histogram]:
        named = method if method in _KNOWN_METHODS else OTHER
        found = self._requests.labels(named, path, str(status)), self._duration.labels(named, path)
        if named is not OTHER:
            self._children[method, path, status] = found
        return found

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Every count as text, and its content type: the newer format only for a scraper that asks for it."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type
