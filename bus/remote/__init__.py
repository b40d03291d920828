"""The bus behind an HTTP API: the same verbs, over httpx."""

from .connecting import connect_remote

__all__ = ["connect_remote"]
