"""URLs that name several servers: redis+sentinel:// and redis+cluster://."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    _secure: bool
    _login: str
    _db: str
    _options: Sequence[tuple[str, str]]

    def data_node(self, address: Address) -> Target:
        """A server that holds data, with the URL's credentials and options. Raises ValueError for options nobody knows."""
        query = urlencode([pair for pair in self._options if pair[0] not in _SENTINEL_OPTIONS])
        return target(self._url(address, self._login, self._db, query))

    def sentinel(self, address: Address) -> Target:
        """A sentinel: credentials of its own (sentinel_username, sentinel_password), the same TLS options."""
        options = dict(self._options)
        user, password = options.get("sentinel_username", ""), options.get("sentinel_password", "")
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user or password else ""
        query = urlencode([pair for pair in self._options if pair[0].startswith("ssl")])
        return target(self._url(address, login, "", query))

    def _url(self, address: Address, login: str, path: str, query: str) -> str:
        host, port = address
        scheme = "rediss" if self._secure else "redis"
        return f"{scheme}://{login}{f'[{host}]' if ':' in host else host}:{port}/{path}{f'?{query}' if query else ''}"


def many_hosts(url: str) -> ManyHosts:
    """`redis+sentinel://[login@]host[:port],…/service[/db][?options]` or `redis+cluster://[login@]host[:port],…[?options]`;
    with `rediss` over TLS. Raises ValueError, which never repeats the URL's credentials."""
    scheme, _, rest = url.partition("://")
    kind = scheme.partition("+")[2]
    before, _, query = rest.partition("?")
    netloc, _, path = before.partition("/")
    login, at, hosts = netloc.rpartition("@")
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
    found = ManyHosts(
        kind=kind,
        seeds=seeds,
        service=service if kind == "sentinel" else "",
        where=f"{scheme}://{shown}" + (f"/{service}/{db or 0}" if kind == "sentinel" else ""),
        _secure=scheme.startswith("rediss"),
        _login=login + at,
        _db=db if kind == "sentinel" else "",
        _options=parse_qsl(query, keep_blank_values=True),
    )
    found.data_node(seeds[0])  # so that a wrong option is told at once
    return found


def _form(scheme: str, kind: str) -> str:
    return f"{scheme}://host1:26379,host2:26379/mymaster" if kind == "sentinel" else f"{scheme}://host1:6379,host2:6379"


def _address(text: str, default_port: int) -> Address:
    host, port = text, str(default_port)
    if text.startswith("["):
        host, _, after = text[1:].partition("]")
        port = after.removeprefix(":") or port
    elif ":" in text:
        host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("redis_url: write each host as host:port, and IPv6 addresses as [address]:port")
    return host, int(port)
