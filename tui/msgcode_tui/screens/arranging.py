"""What the user can do to a room of the list, and to its agent or channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from textual import on
from textual.app import SystemCommand

from msgcode_tui import actions, deeds
from msgcode_tui.actions import Action
from msgcode_tui.completion import Choice, agents, channels
from msgcode_tui.deeds import Deed
from msgcode_tui.rooms import Room
from msgcode_tui.roster import room_title
from msgcode_tui.screens.acting import ActingScreen
from msgcode_tui.screens.ask import Ask
from msgcode_tui.screens.menu import Menu
from msgcode_tui.widgets.room_list import RoomList


class ArrangingScreen(ActingScreen):
    """A screen with a list of rooms, to each of which something can be done."""

    def possible_in(self, room: Room) -> list[Action]:
        """What can be done to the room, and why not what cannot."""
        return actions.room_actions(room, self._app.live, self.query_one(RoomList).arrangement)

    def commands(self) -> Iterator[SystemCommand]:
        yield from super().commands()
        for action in filter(lambda action: action.possible, self.possible_in(self.room)):
            yield SystemCommand(
                f"Room: {action.title}", "The selected room", partial(self.act_in, action.id, self.room)
            )

    @on(RoomList.ActionsWanted)
    def _room_actions(self, event: RoomList.ActionsWanted) -> None:
        room = event.room

        def chosen(id: str | None) -> None:
            if id:
                self.act_in(id, room)

        self.app.push_screen(Menu(room_title(room, self._app.live), self.possible_in(room)), chosen)

    @on(RoomList.Rearranged)
    def _remember_arrangement(self, event: RoomList.Rearranged) -> None:
        rooms, before = self.query_one(RoomList), event.before
        if not event.said:
            return

        def restore() -> None:
            rooms.rearrange(rooms.arrangement._replace(pinned=before.pinned, muted=before.muted))

        def back() -> str:
            self.app.call_from_thread(restore)
            return f"Undone: {event.said}."

        self._app.hands.remember(Deed("", back))

    def act_in(self, id: str, room: Room) -> None:
        """Do this to the room, having asked for what it takes; or say why it cannot be done.

        id: that of an `actions.Action`.
        """
        action = next((each for each in self.possible_in(room) if each.id == id), None)
        if action and action.possible:
            name = room.names[0] if len(room.names) == 1 else room.partner(self._app.live.me) or ""
            flow: Callable[[Room, str], object] = getattr(self, f"_in_{id.replace('-', '_')}")
            flow(room, name)
        elif action:
            self._app.say(action.about, "warning")

    def _in_pin(self, room: Room, name: str) -> None:
        self.query_one(RoomList).pin(room)

    def _in_mute(self, room: Room, name: str) -> None:
        self.query_one(RoomList).mute(room)

    # Channels

    def _in_join(self, room: Room, channel: str) -> None:
        self._do(partial(deeds.join, self._app.store, self._app.live.me, channel, self._app.live.me))

    def _in_leave(self, room: Room, channel: str) -> None:
        self._do(partial(deeds.leave, self._app.store, self._app.live.me, channel, self._app.live.me))

    def _in_add_member(self, room: Room, channel: str) -> None:
        others = actions.outside(channel, self._app.live)
        among = [choice for choice in agents(self._app.live) if choice.text in others]
        self._ask(
            f"Who joins #{channel}?",
            among,
            lambda agent: deeds.join(self._app.store, self._app.live.me, channel, agent),
        )

    def _in_remove_member(self, room: Room, channel: str) -> None:
        known = self._app.live.state.channels.get(channel)
        members = [agent for agent in known.members if agent != self._app.live.me] if known else []
        among = [Choice(agent) for agent in members]
        self._ask(
            f"Who is taken out of #{channel}?",
            among,
            lambda agent: deeds.leave(self._app.store, self._app.live.me, channel, agent),
        )

    def _in_create_channel(self, room: Room, name: str) -> None:
        app = self._app

        def create(id: str, about: str) -> Deed:
            return deeds.create_channel(app.store, app.live.me, id.removeprefix("#"), about)

        self.run_worker(self._make("Create a channel", "its name, such as ops", "what it is for", create))

    def _in_create_channel_here(self, room: Room, channel: str) -> None:
        self._do(partial(deeds.create_channel, self._app.store, self._app.live.me, channel, None))

    # Agents

    def _in_acknowledge_inbox(self, room: Room, agent: str) -> None:
        self.acknowledge_inbox(agent)

    def _in_join_channel(self, room: Room, agent: str) -> None:
        self._ask(
            f"Which channel does {agent} join?",
            self._channels(agent, member=False),
            lambda channel: deeds.join(self._app.store, self._app.live.me, channel, agent),
        )

    def _in_leave_channel(self, room: Room, agent: str) -> None:
        self._ask(
            f"Which channel is {agent} taken out of?",
            self._channels(agent, member=True),
            lambda channel: deeds.leave(self._app.store, self._app.live.me, channel, agent),
        )

    def _channels(self, agent: str, *, member: bool) -> list[Choice]:
        ids = actions.channels_of(agent, self._app.live, member=member)
        return [choice for choice in channels(self._app.live) if choice.text in ids]

    def _in_register(self, room: Room, name: str) -> None:
        def register(id: str, about: str) -> Deed:
            return deeds.register(self._app.store, self._app.live.me, id.removeprefix("@"), about)

        self.run_worker(self._make("Register an agent", "its id, such as tester", "what it does", register))

    def _in_register_here(self, room: Room, agent: str) -> None:
        self._do(partial(deeds.register, self._app.store, self._app.live.me, agent, None))

    def _in_unregister(self, room: Room, agent: str) -> None:
        live = self._app.live
        joined = [f"#{id}" for id in actions.channels_of(agent, live)]
        touched = [
            f"It leaves {', '.join(joined)}." if joined else "It is in no channel.",
            f"{live.waiting(agent):,} waiting for it go on waiting.",
        ]
        deed = partial(deeds.unregister, self._app.store, self._app.live.me, agent)
        self._ask_first(f"Unregister {agent}?", touched, "Unregister", deed)

    # How they ask

    def _ask(self, question: str, among: Sequence[Choice], deed: Callable[[str], Deed]) -> None:
        """Do it with one of these."""

        def answered(name: str | None) -> None:
            if name:
                self._do(partial(deed, name))

        self.app.push_screen(Ask(question, "", among), answered)

    async def _make(self, title: str, what: str, about: str, deed: Callable[[str, str], Deed]) -> None:
        """Do it with an id and a description, which may be empty."""
        id = await self.app.push_screen_wait(Ask(title, what))
        description = id and await self.app.push_screen_wait(Ask(f"{title}: {id}", f"{about}, or nothing"))
        if id and description is not None:
            await self._app.hands.do(partial(deed, id, description))
