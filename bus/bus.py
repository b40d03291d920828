"""The bus as one record of its concepts. `bus.connect` makes it, over Redis or over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .access import AccessControl
from .actors import Actors
from .admin import Admin
from .broadcasts import Broadcasts
from .channels import Channels
from .credentials import Credentials
from .idempotency import Idempotency
from .invitations import Invitations
from .members import Members
from .messages import Messages
from .sessions import Sessions
from .settings import Settings
from .tasks import Tasks
from .webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Health:
    """What the bus stands on. `store`: `embedded`, `redis`, `sentinel`, `cluster`, `memory` or `http`; `where`: its address
    without credentials.

    `look`: a command line that shows the inside (redis-cli …), None where there is none. `server`: `Valkey 9.1.2` or the
    like. `notifications`: `keyspace` where the store tells of changes itself, `publish` where scripts do.
    """

    store: str
    where: str
    look: str | None
    server: str
    notifications: str


@dataclass(frozen=True, slots=True)
class Bus:
    """Every verb of the bus, by concept. Which store or server is behind it makes no difference to who uses it.

    Besides what it says itself, a verb raises StoreUnavailable when the store does not answer, InvalidInput when a name or
    an id is malformed, and InsufficientScope when the API key lacks what `credentials.SCOPE_OF` asks for.
    """

    channels: Channels
    messages: Messages
    tasks: Tasks
    broadcasts: Broadcasts
    webhooks: Webhooks
    credentials: Credentials
    actors: Actors
    access: AccessControl
    members: Members
    invitations: Invitations
    sessions: Sessions
    idempotency: Idempotency
    admin: Admin
    settings: Settings
    ping: Callable[[], Awaitable[Health]]
    """Raises StoreUnavailable when the store does not answer."""
    drain: Callable[[], None]
    """End every open wait as if its time were up, now and from now on: the process is about to stop."""
