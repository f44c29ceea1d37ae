"""A program like a shell, for tests: a prompt, a line that is edited, and commands that try a wrapper.

    python prompt_box.py FILE

Each line that is sent to it is appended to FILE, as a JSON string. What else it does is said by the line:
`ask` (for an approval), `menu`, `flood N` (lines), `tick` (output that goes on until a key), `editor` (the
alternate screen until q), `garble`, `mute` and `plain` (how it shows what is typed from then on), `more` (a
prompt for the rest), `size`, `stop`, `die SIGNAL`, `exit N`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import termios
import tty
from pathlib import Path


class Box:
    """The prompt and its line."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.echo = "plain"
        self.prompt = "> "

    def write(self, text: str) -> None:
        os.write(1, text.encode())

    def key(self) -> str:
        return os.read(0, 1).decode(errors="replace")

    def draw(self, line: str) -> None:
        shown = {"plain": line, "garble": line.upper(), "mute": ""}[self.echo]
        self.write(f"\r\x1b[K\x1b[1;32m{self.prompt}\x1b[0m{shown}")

    def line(self) -> str:
        line = ""
        self.draw(line)
        while (key := self.key()) != "\r":
            if key == "\x03":
                line = ""
            elif key == "\x7f":
                line = line[:-1]
            else:
                line += key
            self.draw(line)
        with self.log.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self.write("\r\n")
        return line

    def obey(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        self.prompt = "> "
        if word == "ask":
            self.write("Do you want to delete everything? (y/n) ")
            self.write(f"\r\nyou said {self.key()!r}\r\n")
        elif word == "menu":
            self.write("Do you want to run rm -rf /?\r\n\x1b[36m❯ 1. Yes\x1b[0m\r\n  2. No\r\n\r\n ")
            self.write(f"\x1b[2J\x1b[Hyou said {self.key()!r}\r\n")
        elif word == "flood":
            for number in range(int(rest)):
                self.write(f"\x1b[3{number % 8}mline {number}\x1b[0m and some more of it\r\n")
        elif word == "tick":
            number = 0
            while not select.select([0], [], [], 0.1)[0]:
                number += 1
                self.write(f"\r> tick {number}")
            self.write(f"\r\nended by {self.key()!r}\r\n")
        elif word == "editor":
            self.write("\x1b[?1049h\x1b[2J\x1b[H~ editor\r\n> ")
            while self.key() != "q":
                pass
            self.write("\x1b[?1049l")
        elif word in ("garble", "mute", "plain"):
            self.echo = word
        elif word == "more":
            self.prompt = "... "
        elif word == "size":
            size = os.get_terminal_size(1)
            self.write(f"{size.columns}x{size.lines}\r\n")
        elif word == "stop":
            os.kill(os.getpid(), signal.SIGTSTP)
            self.write("here again\r\n")
        elif word == "die":
            os.kill(os.getpid(), getattr(signal, rest))
        elif word == "exit":
            sys.exit(int(rest))


def main() -> None:
    box = Box(Path(sys.argv[1]))
    signal.signal(signal.SIGWINCH, lambda *_: box.write("[resized]\r\n"))
    saved = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        while True:
            box.obey(box.line())
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, saved)


if __name__ == "__main__":
    main()
