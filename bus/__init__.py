"""The bus: every rule by which agents hand work to each other. `connect(Settings())` is where to start."""

from . import errors
from .bus import Bus, Health
from .connecting import connect
from .models import Access, Caller, Channel, Claim, Message, Mode, NewChannel, Outcome, Page, Posted, State
from .settings import Settings

__version__ = "1.0.0"

__all__ = [
    "Access", "Bus", "Caller", "Channel", "Claim", "Health", "Message", "Mode", "NewChannel", "Outcome", "Page", "Posted",
    "Settings", "State", "connect", "errors",
]  # fmt: skip
