"""A process of ours beside the plugin's. It prints `ready`, then the id of each message it has dealt with.

python ours.py send FOLDER AGENT SECONDS MILLISECONDS_BETWEEN
python ours.py deliver FOLDER AGENT
"""

from __future__ import annotations

import select
import sys
import time

from msgcode import Store

QUIET = 1.5
"""Seconds without a message after which a deliverer that shall end has had them all."""


def send(folder: str, agent: str, seconds: str, pause: str) -> None:
    """Send to `reader` for so long."""
    with Store.open(folder) as store:
        store.register(agent)
        print("ready", flush=True)
        deadline = time.monotonic() + float(seconds)
        number = 0
        while time.monotonic() < deadline:
            print(store.send(agent, "reader", f"message {number}").id, flush=True)
            number += 1
            if float(pause):
                time.sleep(float(pause) / 1000)


def deliver(folder: str, agent: str) -> None:
    """Hand over what comes for the agent, as a host does, until standard input ends and all is done."""
    with Store.open(folder) as store:
        store.register(agent)
        print("ready", flush=True)
        last = time.monotonic()
        while time.monotonic() - last < QUIET or not _input_has_ended():
            for message in store.claim(agent, "a host of ours"):
                store.confirm(agent, message.id, "a host of ours")
                print(message.id, flush=True)
                last = time.monotonic()
            time.sleep(0.02)


def _input_has_ended() -> bool:
    return bool(select.select([sys.stdin], [], [], 0)[0])


if __name__ == "__main__":
    _, verb, *words = sys.argv
    send(*words) if verb == "send" else deliver(*words)
