"""Internet addresses as text: in one spelling, as networks an operator lists, and as what a rate limit counts by."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# What one customer of a provider gets at least: within it, an address costs nothing.
_IPV6_CUSTOMER_BITS = 64


def parsed(text: str) -> Address | None:
    """The address, None when it is none. A zone (`fe80::1%eth0`) is left out, an IPv4 address in IPv6 is IPv4."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def networks(listed: str) -> tuple[Network, ...]:
    """Comma-separated addresses and networks. Raises ValueError naming the one that is neither."""
    found: list[Network] = []
    for each in filter(None, (part.strip() for part in listed.split(","))):
        try:
            found.append(ip_network(each, strict=False))
        except ValueError:
            raise ValueError(
                f"{each!r} is neither an address nor a network; list them as in 10.0.0.0/8, 192.0.2.7, fd00::/8"
            ) from None
    return tuple(found)


def within(address: Address, listed: Sequence[Network]) -> bool:
    """Whether one of the networks holds the address."""
    return any(address in network for network in listed)


def counted_as(address: str) -> str:
    """What a limit per source address counts by: an IPv6 address by its /64, anything else as it is."""
    found = parsed(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((int(found), _IPV6_CUSTOMER_BITS), strict=False))
    return address if found is None else str(found)
