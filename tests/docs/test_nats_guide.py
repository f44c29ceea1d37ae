"""The users of the nats.conf that the guide shows can do what it says, and no more."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.cli import main
from msgcode.errors import Refused, Unavailable
from tests.docs.pages import block
from tests.docs.test_commands_shown import nats


def test_the_users_of_the_guide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ExitStack() as stack:
        (port,) = nats(stack, tmp_path).values()
        init = block("nats.init").split()[-1].replace("127.0.0.1:4222", port)
        assert main(["store", "init", init]) == 0
        assert capsys.readouterr().out.startswith("Made room dev, kept in files on one server.")
        used = init.replace("lead:change-me-1", "dev:change-me-2")
        assert used.removesuffix(f"{port}/dev") in block("nats.use")
        with Store.open(used) as store:
            store.register("ann")
            store.send("ann", "ann", "hello")
            assert [message.body for message in store.check("ann")] == ["hello"]
            assert store.purge() == 0
        with Store.open(init.replace("lead:change-me-1", "screen:change-me-3")) as screen:
            assert [agent.id for agent in screen.agents()] == ["ann"]
            with pytest.raises(Refused, match="your NATS account may not do that in room 'dev'"):
                screen.register("wall")
        with pytest.raises(Unavailable, match="there is no room 'dev'"):
            Store.open(init.replace("lead:change-me-1", "other:change-me-4"))
