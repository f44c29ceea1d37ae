from __future__ import annotations

from pathlib import Path

import pytest

from msgcode import tools
from msgcode.caller import AROUND, Caller
from msgcode.model import Session
from msgcode.store import Store

HERE = Session("bash-1", "terminal", "host-1")
INSIDE = Session("conversation", "opencode", "host-2")


@pytest.mark.parametrize(("around", "moves"), [(HERE.id, True), ("bash-2", False), (None, False)])
def test_an_agent_may_move_from_the_terminal_into_the_program_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, around: str | None, moves: bool
) -> None:
    if around:
        monkeypatch.setenv(AROUND, around)
    with Store.open(tmp_path, sync=False) as store:
        store.register("ann", session=HERE)
        answer = tools.call(Caller(store, INSIDE), "register_agent", {"agent_id": "ann"})
        assert answer.ok is moves
        assert store.agents()[0].session == (INSIDE if moves else HERE)
