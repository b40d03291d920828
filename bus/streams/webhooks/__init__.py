"""Webhooks on Redis Streams: an outbox in each channel, one queue for all, and senders that share it."""

from .handing import HandOver
from .sender import Sender
from .verbs import RedisWebhooks

__all__ = ["HandOver", "RedisWebhooks", "Sender"]
