"""A process that hands messages over as a harness's host does, and agents that are done with them."""

from __future__ import annotations

from msgcode import MsgcodeError, Store
from tests.soak.ledger import ACKNOWLEDGED, CONFIRMED, FAILED, INJECTED
from tests.soak.worker import READERS, Life

LEASE = 2.0
"""Seconds for which it claims, so that a run sees many that lapse."""

_OPENED_FOR = 60
"""Rounds after which it opens the room anew."""


def live(life: Life) -> None:
    """Deliver until it has ended."""
    while not life.has_ended:
        try:
            with Store.open(life.room, clock=life.clock) as store:
                for _ in range(_OPENED_FOR):
                    if not life.has_ended:
                        _deliver(life, store, life.random.choice(READERS))
                        life.rest()
        except MsgcodeError as error:
            life.ledger.write(FAILED, text=str(error))
            life.rest()


def _deliver(life: Life, store: Store, agent: str) -> None:
    for message in store.claim(agent, life.by, limit=life.random.choice((1, 3, None)), lease=LEASE):
        life.ledger.write(INJECTED, message.id, agent, life.by)
        chance = life.random.random()
        try:
            if chance < 0.05:
                store.fail(agent, message.id, life.by, "the session is busy")
            elif chance < 0.95:  # Else it forgets: the lease lapses.
                store.confirm(agent, message.id, life.by)
                life.ledger.write(CONFIRMED, message.id, agent, life.by)
                if chance < 0.7:
                    _acknowledge(life, store, agent, message.id)
        except MsgcodeError as error:
            life.ledger.write(FAILED, message.id, agent, text=str(error))
    delivered = [message for message in store.inbox(agent) if not message.deliveries[agent].to_come]
    if delivered and life.random.random() < 0.3:
        _acknowledge(life, store, agent, *(message.id for message in delivered[:10]))


def _acknowledge(life: Life, store: Store, agent: str, *ids: str) -> None:
    store.acknowledge(agent, *ids)
    for id in ids:
        life.ledger.write(ACKNOWLEDGED, id, agent)
