"""One file per concept; `ALL` in the order in which a request is matched, busiest first."""

from . import access, actors, channels, dead_letters, health, keys, messages, tasks

ALL = (tasks.router, messages.router, channels.router, access.router, dead_letters.router, actors.router, keys.public_router,
       keys.router, health.router)  # fmt: skip
