"""The bus on Redis Streams."""

from .connecting import bus_over, connect_engine, connect_streams

__all__ = ["bus_over", "connect_engine", "connect_streams"]
