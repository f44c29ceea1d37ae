"""Putting text into a session of OpenCode, through its own client, so that it is there once."""

from __future__ import annotations

import asyncio
import secrets
import string
import time
from collections.abc import Callable, Sequence
from typing import Any

from msgcode import prompt
from msgcode.harness.delivery import NotInjected
from msgcode.harness.opencode.conversation import Conversation
from msgcode.model import Message
from msgcode.rpc import Peer, RemoteError

PATIENCE = 5.0
"""Seconds within which OpenCode has to take a prompt, and then to say that its text is in the session."""

LOOK_BACK = 100
"""Newest messages of a session among which an earlier attempt's text is looked for."""

NUDGE_AFTER = 1.0
"""Seconds for which a session may be idle with a prompt of ours that no model has begun to answer."""

NUDGES = 3
"""How often such a prompt is given again."""

Body = dict[str, Any]


class Injector:
    """Puts texts into the sessions of the OpenCode at `peer`."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._heard = asyncio.Event()
        self._nudging: set[str] = set()
        self._last_number = 0

    def hear(self) -> None:
        """A conversation has changed: whoever waits for that looks again."""
        self._heard.set()

    async def inject(
        self, conversation: Conversation, agent: str, messages: Sequence[Message], more: int
    ) -> list[str]:
        """Give the agent its messages, in one prompt that also wakes an idle session.

        more: how many are to come in later prompts. Returns the ids of those that are in the session
        now. Raises NotInjected with the reason if they are not, as far as it is known.
        """
        try:
            there: set[str] = set()
            if not conversation.agent or any(message.deliveries[agent].claims > 1 for message in messages):
                there = await self._look_back(conversation)
            fresh = [message for message in messages if message.id not in there]
            if fresh:
                text = prompt.delivery(agent, fresh, more)
                ids = [message.id for message in fresh]
                conversation.full = more > 0
                await self._post(conversation, self._body(conversation, text, metadata={"msgcode": ids}))
        except RemoteError as error:
            conversation.full = False
            raise NotInjected(f"OpenCode did not take it: {error}") from None
        except TimeoutError:
            conversation.full = False
            raise NotInjected(f"OpenCode did not show it in the session within {PATIENCE:g} s") from None
        return [message.id for message in messages]

    async def show(self, conversation: Conversation, text: str) -> None:
        """Show the user a text in the session that no model gets. Raises RemoteError.

        While the session is busy it is a toast: any new message would give the model one more turn.
        """
        if conversation.busy:
            await self._call("tui.showToast", body={"message": text, "variant": "info"})
            await self._until(lambda: not conversation.busy)
        await self._note(conversation, text, ignored=True)

    async def tell(self, conversation: Conversation, text: str) -> None:
        """Put a text into the session that its model gets at its next turn. Raises RemoteError."""
        await self._note(conversation, text)

    async def last_session(self, directory: str | None) -> str | None:
        """The session of the folder that was used last, as `opencode --continue` finds it, if there is one.

        Raises RemoteError.
        """
        found = await self._call("session.list")
        used: list[tuple[float, str]] = []
        for session in found if isinstance(found, list) else []:
            match session:
                case {"id": str(id), "directory": there, "time": {"updated": int() | float() as updated}}:
                    if there == directory and not session.get("parentID"):
                        used.append((updated, id))
        return max(used)[1] if used else None

    async def nudge(self, conversation: Conversation) -> None:
        """Give those prompts again that an idle session has, but did not begin to answer.

        Others have seen OpenCode store a prompt and not run it, as at the very end of a turn.
        """
        if conversation.id in self._nudging:
            return
        self._nudging.add(conversation.id)
        try:
            for _ in range(NUDGES):
                await asyncio.sleep(NUDGE_AFTER)
                if conversation.busy or not conversation.unanswered:
                    break
                for _, body in sorted(conversation.unanswered.items()):
                    await self._prompt(conversation, body)
        finally:
            self._nudging.discard(conversation.id)

    async def _look_back(self, conversation: Conversation) -> set[str]:
        """The ids of our messages that are in the session, whose newest prompt's agent and model it learns.

        A prompt among them that no model has answered is given again, to the same effect as once.
        """
        found = await self._call("session.messages", path={"id": conversation.id}, query={"limit": LOOK_BACK})
        there: set[str] = set()
        unanswered: list[Body] = []
        for item in found if isinstance(found, list) else []:
            match item:
                case {"info": {"role": "user", "id": str(message)} as info, "parts": [*parts]}:
                    conversation.learn(info)
                    for part in parts:
                        match part:
                            case {"id": str(id), "text": str(text), "metadata": {"msgcode": [*ids]}}:
                                there.update(map(str, ids))
                                body = self._body(conversation, text, metadata={"msgcode": ids})
                                body["messageID"], body["parts"][0]["id"] = message, id
                                unanswered.append(body)
                case {"info": {"role": "assistant"}}:
                    unanswered.clear()
        for body in unanswered:
            await self._post(conversation, body)
        return there

    async def _note(self, conversation: Conversation, text: str, **part: object) -> None:
        body = self._body(conversation, text, **part)
        conversation.will_prompt(body["messageID"], None)
        await self._call("session.prompt", path={"id": conversation.id}, body={**body, "noReply": True})

    async def _post(self, conversation: Conversation, body: Body) -> None:
        """Prompt, and wait until the session has the text. Raises RemoteError or TimeoutError."""
        id = body["messageID"]
        conversation.will_prompt(id, body)
        await self._prompt(conversation, body)
        async with asyncio.timeout(PATIENCE):
            await self._until(lambda: id in conversation.stored)

    async def _prompt(self, conversation: Conversation, body: Body) -> None:
        await self._call("session.promptAsync", path={"id": conversation.id}, body=body)

    def _body(self, conversation: Conversation, text: str, **part: object) -> Body:
        """A prompt with ids of its own: OpenCode takes the same one twice as once."""
        id = self._ascending_id()
        body: Body = {
            "messageID": f"msg_{id}",
            "parts": [{"id": f"prt_{id}", "type": "text", "text": text, **part}],
        }
        if conversation.agent and conversation.model:
            body.update(agent=conversation.agent, model=conversation.model)
        return body

    def _ascending_id(self) -> str:
        """An id that sorts after all before it, as OpenCode makes them: 48 bits of time, then chance."""
        # OpenCode counts up from 1 within each millisecond; this is after whatever it has made in this one.
        self._last_number = max(self._last_number + 1, time.time_ns() // 1_000_000 * 0x1000 + 0x800)
        chance = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(14))
        return f"{self._last_number & 0xFFFFFFFFFFFF:012x}{chance}"

    async def _call(self, method: str, **params: object) -> Any:
        return await self._peer.call(method, PATIENCE, **params)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._heard.clear()
            await self._heard.wait()
