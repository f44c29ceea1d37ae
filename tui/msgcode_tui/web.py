"""The app in a browser, served by textual-serve to this machine alone.

Whoever reaches the page speaks as the user. Loopback alone does not keep out the other users of the machine,
nor the pages of other sites in the user's browser. So there is a key, which the printed address bears: the
first visit turns it into a cookie that no other site can send along, and without it there is nothing.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import shlex
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web
from textual_serve.server import Server
from yarl import URL

from msgcode.errors import BadInput, Unavailable

COOKIE = "msgcode-key"

_POLICY = "default-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
"""Nothing is loaded from elsewhere: textual-serve's page would ask for a font on the net."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def check_host(host: str) -> str:
    """The host, if it is this machine's loopback. Raises BadInput otherwise."""
    try:
        if host == "localhost" or ipaddress.ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise BadInput(f"--host must be a loopback address, such as 127.0.0.1, not {host!r}.")


class RoomServer(Server):
    """Serves `msgcode-tui` with these arguments, in a process for each visitor who has the key."""

    def __init__(self, words: Sequence[str], host: str, port: int) -> None:
        self._key = secrets.token_urlsafe(16)
        self._origin = URL.build(scheme="http", host=host, port=port).origin()
        command = shlex.join([sys.executable, "-m", "msgcode_tui", *words])
        super().__init__(command, host, port, "msgcode", str(self._origin))

    @property
    def address(self) -> str:
        """What to open in the browser."""
        return str(self._origin.with_path("/").with_query(key=self._key))

    def run(self) -> None:
        """Serve until interrupted. Raises Unavailable if the port is taken."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            listening = socket.create_server((self.host, self.port), family=family)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise Unavailable(f"{self._origin} cannot be served: {reason}. Try another --port.") from error
        with listening:
            web.run_app(self._make_app(), sock=listening, print=None)

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._only_the_user)
        app.on_response_prepare.append(_keep_to_this_machine)
        return app

    @web.middleware
    async def _only_the_user(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin", str(self._origin))
        if origin != str(self._origin) or request.url.origin() != self._origin:
            raise web.HTTPForbidden(text="This is not the address that msgcode-tui has printed.")
        if self._is_key(request.query.get("key")):
            without_key = web.HTTPFound("/")
            without_key.set_cookie(COOKIE, self._key, httponly=True, samesite="Strict")
            raise without_key
        if not self._is_key(request.cookies.get(COOKIE)):
            raise web.HTTPForbidden(text="Open the address that msgcode-tui has printed: it bears a key.")
        return await handler(request)

    def _is_key(self, given: str | None) -> bool:
        return given is not None and secrets.compare_digest(given.encode(), self._key.encode())

    async def on_startup(self, app: web.Application) -> None:
        """Says where it is."""
        print(f"The room is at {self.address}\nCtrl+C ends it.", flush=True)


async def _keep_to_this_machine(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
