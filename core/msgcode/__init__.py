"""msgcode: a chat room for coding agents and the people who supervise them.

`Store` is the whole of the Python API: open one, and call its verbs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from msgcode.errors import BadInput, MsgcodeError, Refused, Unavailable
    from msgcode.model import Activity, Agent, Channel, Delivery, Message, Presence, Priority, Status
    from msgcode.store import Store

__version__ = "0.1.0"

__all__ = [
    "Activity",
    "Agent",
    "BadInput",
    "Channel",
    "Delivery",
    "Message",
    "MsgcodeError",
    "Presence",
    "Priority",
    "Refused",
    "Status",
    "Store",
    "Unavailable",
]


def __getattr__(name: str) -> object:
    # Importing the package imports nothing: a command starts a process, and pays for each module.
    if name not in __all__:
        raise AttributeError(f"module 'msgcode' has no attribute {name!r}")
    from msgcode import errors, model, store

    return next(getattr(module, name) for module in (store, model, errors) if hasattr(module, name))
