"""A room on NATS as a place where a copy goes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

import nats.errors

from msgcode.errors import Unavailable
from msgcode.journal.copying import written_meanwhile
from msgcode.journal.jetstream import PATIENCE, JetStreamJournal
from msgcode.journal.lanes import LANES
from msgcode.nats.link import LinkDown, refused
from msgcode.nats.publishing import AGAIN, WRONG_LAST, Outgoing, heads, say


class StreamTarget(JetStreamJournal):
    """The room on NATS, as a target (`copying.py`)."""

    def append(self, lines: Sequence[bytes], after: int) -> None:
        """Publish what another journal has, without numbers, as one batch right behind the event `after`.

        Raises Refused if there is another event by now, Unavailable if it cannot be told whether it is there.
        """
        deadline = time.monotonic() + PATIENCE
        address, link = self.link.address, self.link
        # Over all lanes, so that who has decided on what was there before is refused.
        subjects = [f"{address.fact}.{count % LANES}" for count in range(len(lines))]
        messages = [*map(Outgoing, subjects, lines)]
        while True:
            headers = heads(secrets.token_hex(8), len(messages))
            headers[0]["Nats-Expected-Last-Sequence"] = str(after)
            try:
                answer = link.call(say(link, messages, headers))
                wrong = answer.get("error", {})
                if wrong and wrong.get("err_code") not in WRONG_LAST:
                    raise Unavailable(f"the stream {address.stream}: {wrong.get('description')}.")
                self._catch_up(after + len(lines) if not wrong else 0)
            except nats.errors.MaxPayloadError:
                raise Unavailable(
                    f"a message is larger than the NATS server takes ({link.client.max_payload} bytes): "
                    "raise its setting max_payload, and copy again."
                ) from None
            except (LinkDown, nats.errors.Error) as error:
                if time.monotonic() > deadline:
                    raise refused(address, error) from None
                time.sleep(AGAIN)
                self.refresh()
            if self.seq == after + len(lines):
                return
            if self.seq != after or time.monotonic() > deadline:
                raise written_meanwhile(str(address))
