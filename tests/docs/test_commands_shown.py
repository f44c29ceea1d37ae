"""Every command that the README and the guides show is run here, page by page, and answers what they show."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.core.nats.server import NatsServer, free_port
from tests.docs.pages import COMMANDS, PAGES, block, blocks, named
from tests.docs.shell import Shell, environment
from tests.e2e.in_pty import InPty
from tests.e2e.scene import Scene

KEYS = {"ctrl+c": "\x03", "ctrl+q": "\x11", "exit": "exit\r"}

SHOWN = {page: [block for block in blocks(page) if block.language in COMMANDS] for page in PAGES}


@pytest.mark.parametrize("page", [page for page, found in SHOWN.items() if found], ids=named)
def test_what_a_page_shows_happens(page: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = environment(home)
    with ExitStack() as stack:
        ours = {"8765": str(free_port())}
        if any("nats.conf" in found.marks for found in blocks(page)):
            ours |= nats(stack, tmp_path)
        if any(found.mark("scene") for found in SHOWN[page]):
            stack.enter_context(Scene(home / ".oh-my-msgcode"))
        shell = stack.enter_context(Shell(home, settings))
        for found in SHOWN[page]:
            if found.mark("not run"):
                continue
            if screen := found.mark("in a terminal"):
                in_a_terminal(replaced(found.text, ours), replaced(screen, ours), settings)
                continue
            for command, answer in found.steps():
                shell.does(replaced(command, ours), answer)


def replaced(text: str, ours: dict[str, str]) -> str:
    """The text with what is something else here."""
    for shown, own in ours.items():
        text = text.replace(shown, own)
    return text


def in_a_terminal(command: str, screen: str, environment: dict[str, str]) -> None:
    """Run the command until the screen shows what the mark says, and end it with the key it says."""
    match = re.fullmatch(r'shows "(.*)", then (\S+)', screen)
    assert match, screen
    with InPty(["sh", "-euc", f"exec {command}"], environment, (150, 40)) as terminal:
        terminal.wait_until(lambda: terminal.screen().strip(), "it shows nothing")
        terminal.wait_for(match[1])
        terminal.type(KEYS[match[2]])
        assert terminal.end() == 0


def nats(stack: ExitStack, folder: Path) -> dict[str, str]:
    """Start the server of the guide's nats.conf. Returns what of its commands is something else here."""
    config = re.sub(r"^(listen|max_payload|jetstream).*\n", "", block("nats.conf"), flags=re.MULTILINE)
    server = NatsServer(folder / "server", config)
    stack.callback(server.stop)
    return {"127.0.0.1:4222": f"127.0.0.1:{server.port}"}


def test_only_these_are_not_run() -> None:
    """Each says why. Add to this list only what cannot be run in a test."""
    left_out = [(named(page), found.text) for page in SHOWN for found in SHOWN[page] if found.mark("not run")]
    assert left_out == [
        ("README.md", block("try")),
        ("README.md", block("test")),
        ("core/guides/any-program.md", "msgcode adopt --as ann %3\n"),
    ]


def test_commands_are_in_blocks_of_their_own() -> None:
    """What is not run is no command: a text for a model or a file, or Python, which another test runs."""
    others = {found.language for page in PAGES for found in blocks(page)} - {*COMMANDS}
    assert others == {"text", "toml", "json", "python"}
    for page in PAGES:
        for found in blocks(page):
            if found.language not in COMMANDS:
                assert not re.search(r"^(\$ )?(sudo |pip |msgcode)", found.text, re.MULTILINE), found
