"""The demo: a crew at work on a real store."""

from __future__ import annotations

import time
from pathlib import Path

from msgcode import Store
from msgcode.events import MessageSent
from msgcode_tui.demo import CHANNEL, CREW, Crew, Stage, running_crew
from msgcode_tui.rooms import pair_room
from tests.tui.support import WAIT, running


def sent(store: Store) -> list[MessageSent]:
    """All that was ever sent."""
    return [event.fact for event in store.history() if isinstance(event.fact, MessageSent)]


def test_the_script_tells_its_stories_to_the_end(folder: Path) -> None:
    with Store.open(folder, sync=False) as store:
        pauses = list(Crew(store).play())
        bodies = [fact.body for fact in sent(store)]
        assert "LGTM." in bodies
        assert 30 < sum(pauses) < 90
        assert {agent.id for agent in store.agents()} == set(CREW)
        assert set(store.channels()[0].members) == {"backend", "frontend", "docs"}
        assert store.presence("docs").reason
        waiting = {agent: store.waiting(agent) for agent in CREW}
        assert waiting["coder"] == waiting["reviewer"] == 0 < waiting["docs"]


def test_the_scanner_says_where_in_the_metadata(folder: Path) -> None:
    with Stage(folder) as stage:
        stage.play_until(60)
        (leak,) = [fact for fact in sent(stage.store) if fact.priority == "urgent"]
    assert leak.metadata == {"file": "src/config.py", "line": "15"}


def test_a_staged_room_is_always_the_same(tmp_path: Path) -> None:
    with Stage(tmp_path / "one") as one, Stage(tmp_path / "two") as two:
        one.play_until(30)
        two.play_until(10)
        two.play_until(30)
        assert list(one.store.history()) == list(two.store.history())
        assert one.store.presence("coder") == two.store.presence("coder")


async def test_the_crew_works_while_the_app_runs_and_answers_humans() -> None:
    with running_crew(pace=0) as folder:
        async with running(Path(folder)) as app:
            await app.shows("reviewer", f"# {CHANNEL}", "LGTM.", "■ docs")
            await app.select(pair_room("reviewer", "human"))
            app.rooms.focus()
            await app.pilot.press("enter", "h", "i", "enter")
            await app.shows("Understood.")
    assert not Path(folder).exists()  # noqa: ASYNC240


def test_there_is_something_to_see_within_two_seconds() -> None:
    begin = time.monotonic()
    with running_crew() as folder, Store.open(folder) as store:
        while not store.messages() and time.monotonic() < begin + WAIT:
            time.sleep(0.01)
        assert store.messages()
        assert time.monotonic() - begin < 2


def test_a_deleted_room_ends_the_show(folder: Path) -> None:
    with Store.open(folder, sync=False) as store:
        crew = Crew(store)
        for _ in crew.play():
            break
        store.unregister("coder")
        crew.tick()
