"""A process that sends by the Store's own verbs."""

from __future__ import annotations

from msgcode import MsgcodeError, Refused, Store, Unavailable
from msgcode.verbs import new_message_id
from tests.soak.ledger import FAILED, REFUSED, SENT
from tests.soak.worker import CHANNEL, READERS, Life

_OPENED_FOR = 40
"""Messages after which it opens the room anew, as a fresh process would."""


def live(life: Life) -> None:
    """Send until it has ended."""
    while not life.has_ended:
        try:
            _send_some(life)
        except MsgcodeError as error:
            life.ledger.write(FAILED, text=str(error))
            life.rest()


def _send_some(life: Life) -> None:
    made: list[str] = []

    def new_id() -> str:
        made.append(new_message_id())
        return made[-1]

    with Store.open(life.room, clock=life.clock, new_id=new_id) as store:
        _join(life, store)
        for _ in range(_OPENED_FOR):
            if life.has_ended:
                return
            made.clear()
            try:
                _send(life, store)
            except Refused as error:
                life.ledger.write(REFUSED, made[-1] if made else "", text=str(error))
                _join(life, store)  # The registration was cut away, or oh-my-msgcode has taken it back.
            except Unavailable as error:
                # It may be there although the disk did not confirm it; else it says that it is not.
                is_refused = "Nothing was changed" in str(error)
                id = made[-1] if made else ""
                life.ledger.write(REFUSED if is_refused else FAILED, id, text=str(error))
            life.rest()


def _join(life: Life, store: Store) -> None:
    for agent in (life.name, *READERS):
        store.register(agent)
    if CHANNEL not in [channel.id for channel in store.channels()]:
        store.create_channel(CHANNEL, life.name)
    for agent in (life.name, *READERS):
        store.join(CHANNEL, agent)


def _send(life: Life, store: Store) -> None:
    ttl = life.random.choice((None, None, None, None, 3.0))
    priority = life.random.choice(("low", "normal", "normal", "high", "urgent"))
    if life.random.random() < 0.2:
        sent = store.broadcast(life.name, CHANNEL, life.body(), priority=priority, ttl=ttl)
    else:
        sent = store.send(life.name, life.audience(), life.body(), priority=priority, ttl=ttl)
    life.ledger.write(SENT, sent.id, " ".join(sent.deliveries))
