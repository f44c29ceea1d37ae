"""The room in a browser: a headless Chromium, if there is one, and requests that must get nowhere."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, sync_playwright

from msgcode import Store

NAMES = ("chromium", "chromium-browser", "chromium-headless-shell", "google-chrome", "chrome-headless-shell")
WAIT = 30_000
"""Milliseconds within which the browser has to show what a test waits for."""


def chromium() -> str | None:
    """The program: MSGCODE_TEST_CHROMIUM, or one on the PATH."""
    return os.environ.get("MSGCODE_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where `msgcode-tui --web` serves the room in `tmp_path`/room."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "msgcode_tui",
        "--web",
        "--port",
        str(port),
        "--store",
        str(tmp_path / "room"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.fullmatch(r"The room is at (\S+)\n", process.stdout.readline())
        assert found
        yield found[1]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A page of a headless Chromium."""
    program = chromium()
    if program is None:
        pytest.skip("Chromium is not installed: put it on the PATH, or name it in MSGCODE_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        yield page
        page.screenshot(path=tmp_path / "page.png")
        browser.close()


def get(address: str, path: str, **headers: str) -> http.client.HTTPResponse:
    """What the server answers."""
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)) as connection:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        return response


def test_the_room_in_a_browser(tmp_path: Path, address: str, page: Page) -> None:
    origins: set[str] = set()
    frames: list[str] = []
    page.on("response", lambda response: origins.add(urlsplit(response.url).netloc))
    with Store.open(tmp_path / "room", sync=False) as store:
        store.register("alice")
        store.send("alice", "human", "Hello from a terminal.")
        page.on(
            "websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame)))
        )
        page.goto(address)
        page.wait_for_selector("body.-first-byte", timeout=WAIT)
        page.locator(".xterm-helper-textarea").focus()
        until(page, lambda: any(agent.human for agent in store.agents()))
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        until(page, lambda: "Send" in "".join(frames))  # What it writes in, has the keys.
        page.keyboard.type("Hello from a browser.")
        page.keyboard.press("Enter")
        until(page, lambda: [message.sender for message in store.messages()] == ["alice", "human"])
        assert store.messages()[1].body == "Hello from a browser."
        assert store.messages()[1].recipients == ("alice",)
    assert origins == {urlsplit(address).netloc}
    assert "key=" not in page.url


def until(page: Page, condition: Callable[[], object]) -> None:
    """Wait until the condition holds."""
    for _ in range(WAIT // 20):
        if condition():
            return
        page.wait_for_timeout(20)
    raise AssertionError("this never came true")


def test_without_the_key_there_is_nothing(address: str) -> None:
    key = urlsplit(address).query
    for path in (
        "/",
        "/ws",
        "/static/js/textual.js",
        "/?key=",
        "/?key=wrong",
        "/?key=%C3%A9",
    ):
        assert get(address, path).status == 403, path
    arrived = get(address, f"/?{key}")
    assert (arrived.status, arrived.headers["Location"]) == (302, "/")
    cookie = arrived.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    cookie = cookie.partition(";")[0]
    assert get(address, "/", Cookie=cookie).status == 200
    assert get(address, "/", Cookie=cookie, Host="evil.example").status == 403
    assert get(address, "/ws", Cookie=cookie, Origin="http://evil.example").status == 403
    assert get(address, f"/?{key}", Origin="null").status == 403
