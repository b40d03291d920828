"""URLs that name several servers: redis+sentinel:// and redis+cluster://."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode

from .url import Target, target

_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")
_DEFAULT_PORTS = {"sentinel": 26379, "cluster": 6379}

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class ManyHosts:
    """What such a URL says. `seeds` are the sentinels, or the nodes asked first; `service` is Sentinel's name of the primary.

    `where` has no credentials.
    """

    kind: str
    seeds: Sequence[Address]
    service: str
    where: str
    _first: Target
    _secure: bool
    _options: Sequence[tuple[str, str]] = field(repr=False)

    def data_node(self, address: Address) -> Target:
        """A server that holds data, with the URL's credentials and options."""
        return self._first.at(*address)

    def sentinel(self, address: Address) -> Target:
        """A sentinel: credentials of its own (sentinel_username, sentinel_password), the same TLS options."""
        options = dict(self._options)
        user, password = options.get("sentinel_username", ""), options.get("sentinel_password", "")
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user or password else ""
        tls = [pair for pair in self._options if pair[0].startswith("ssl")]
        return target(_url(address, tls, secure=self._secure, login=login))


def _url(address: Address, options: Sequence[tuple[str, str]], *, secure: bool, login: str, path: str = "") -> str:
    host, port = address
    shown = f"[{host}]" if ":" in host else host
    return f"{'rediss' if secure else 'redis'}://{login}{shown}:{port}/{path}?{urlencode(options)}".removesuffix("?")


def many_hosts(url: str) -> ManyHosts:
    """`redis+sentinel://[login@]host[:port],…/service[/db][?options]` or `redis+cluster://[login@]host[:port],…[?options]`;
    with `rediss` over TLS. Raises ValueError, which never repeats the URL's credentials."""
    scheme, _, rest = url.partition("://")
    kind = scheme.partition("+")[2]
    before, _, query = rest.partition("?")
    netloc, _, path = before.partition("/")
    login, at, hosts = netloc.rpartition("@")
    if scheme.partition("+")[0] not in ("redis", "rediss") or kind not in _DEFAULT_PORTS:
        raise ValueError("redis_url: servers that belong together are redis+sentinel:// or redis+cluster:// (rediss+…: TLS)")
    seeds = [_address(host, _DEFAULT_PORTS[kind]) for host in hosts.split(",") if host]
    if not seeds:
        raise ValueError(f"redis_url: {scheme}:// needs hosts, as in {_form(scheme, kind)}")
    parts = [unquote(part) for part in path.split("/") if part]
    service, db = (parts[0] if parts else ""), "/".join(parts[1:])
    if kind == "sentinel" and not service:
        raise ValueError(f"redis_url: {scheme}:// needs the name of the service, as in {_form(scheme, kind)}")
    if kind == "cluster" and parts not in ([], ["0"]):
        raise ValueError("redis_url: a cluster has database 0 only; leave the path out")
    shown = ",".join(f"{f'[{host}]' if ':' in host else host}:{port}" for host, port in seeds)
    secure, options = scheme.startswith("rediss"), parse_qsl(query, keep_blank_values=True)
    of_data = [pair for pair in options if pair[0] not in _SENTINEL_OPTIONS]
    # Read once: that a certificate's file is missing for a moment must not matter when another node is met.
    first = target(_url(seeds[0], of_data, secure=secure, login=login + at, path=db if kind == "sentinel" else ""))
    if kind == "cluster" and first.db:
        raise ValueError("redis_url: a cluster has database 0 only; leave db out")
    return ManyHosts(
        kind=kind,
        seeds=seeds,
        service=service if kind == "sentinel" else "",
        where=f"{scheme}://{shown}" + (f"/{service}/{db or 0}" if kind == "sentinel" else ""),
        _first=first,
        _secure=secure,
        _options=options,
    )


def _form(scheme: str, kind: str) -> str:
    return f"{scheme}://host1:26379,host2:26379/mymaster" if kind == "sentinel" else f"{scheme}://host1:6379,host2:6379"


def _address(text: str, default_port: int) -> Address:
    host, port = text, str(default_port)
    if text.startswith("["):
        host, closed, after = text[1:].partition("]")
        port = (after.removeprefix(":") or port) if closed else ""
    elif ":" in text:
        host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("redis_url: write each host as host:port, and IPv6 addresses as [address]:port")
    return host, int(port)
