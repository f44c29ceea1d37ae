"""What the app has other programs do: the clipboard, and the user's editor."""

from __future__ import annotations

import asyncio
import os
import subprocess

from textual.app import App, SuspendNotSupported

from msgcode import Message, Refused
from msgcode_tui import clipboard, editor
from msgcode_tui.live import Live


class OutsideApp(App[None]):
    """An app that copies, and opens files in an editor."""

    @property
    def live(self) -> Live:
        """What the screens draw."""
        raise NotImplementedError

    def say(self, sentence: str, severity: str = "information") -> None:
        """Tell the user something for a few seconds. severity: information, warning or error."""
        raise NotImplementedError

    def copy_to_clipboard(self, text: str) -> None:
        """Copy the text by whatever way there is, and say which it was."""
        self._clipboard = text
        self.run_worker(self._copy(text), group="clipboard", exclusive=True)

    async def _copy(self, text: str) -> None:
        # In a browser it is the browser that copies, wherever this process runs.
        environment = {} if self.is_web else os.environ
        copied = await asyncio.to_thread(clipboard.copy, text, environment, self._write)
        self.say(copied.sentence, "information" if copied.certain else "warning")

    def _write(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)

    def open_in_editor(self, message: Message) -> None:
        """Open the file that the message's metadata names in the user's editor."""
        try:
            path, line = editor.find(message, self.live.state)
            command = editor.command(path, line, os.environ)
        except Refused as error:
            self.say(str(error), "warning")
            return
        if not command.in_terminal:
            self.run_worker(self._open_window(command.words), group="editor")
            return
        try:
            # The loop waits too: nothing may be drawn while another program has the terminal.
            with self.suspend():
                subprocess.run(command.words, check=False)
        except SuspendNotSupported:
            self.say(
                f"There is no terminal here for {command.words[0]}: set $VISUAL to an editor with windows.",
                "warning",
            )
        except OSError as error:
            self.say(f"{command.words[0]} could not be started: {error.strerror}.", "error")

    async def _open_window(self, words: list[str]) -> None:
        nowhere = asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                *words, stdin=nowhere, stdout=nowhere, stderr=nowhere
            )
        except OSError as error:
            self.say(f"{words[0]} could not be started: {error.strerror}.", "error")
        else:
            await process.wait()
