"""The user's settings: one TOML file, read once at the start. A mistake in it is said with its line.

Each field below is a setting, with its default and what the file says about it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

import msgspec
import platformdirs

from msgcode.debugger.stuck import DEFAULTS as ENOUGH
from msgcode.debugger.stuck import Thresholds
from msgcode.decisions import nearest
from msgcode.errors import BadInput
from msgcode_tui import keys, themes, times

What = Literal["mentions", "urgent", "questions", "stuck", "loops"]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Hours = Annotated[str, msgspec.Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$")]
S = TypeVar("S")


def _setting(default: S, about: str, must_be: str) -> S:
    """A setting: what the file says about it, and what is right, in words."""
    made: S = field(default=default, metadata={"about": about, "must_be": must_be})
    return made


@dataclass(frozen=True)
class Notify:
    """How you are told of what happens while you look elsewhere."""

    bell: bool = _setting(True, "Ring the terminal's bell.", "true or false")
    desktop: bool = _setting(
        True,
        "Show a desktop notification, where the terminal or the system can.",
        "true or false",
    )
    what: tuple[What, ...] = _setting(
        ("mentions", "urgent", "questions", "stuck", "loops"),
        "What to tell of: messages to you or that mention you (@human), anybody's urgent messages, "
        "questions to you, agents or messages that are stuck (deadlocks too), and loops.",
        'a list of "mentions", "urgent", "questions", "stuck" and "loops"',
    )
    quiet_hours: Hours = _setting(
        "",
        'When to be silent, in local time, such as "22:00-07:00".',
        'two times, such as "22:00-07:00", or ""',
    )


@dataclass(frozen=True)
class Thread:
    """How messages are shown."""

    compact: bool = _setting(False, "Leave out the empty line between two messages.", "true or false")


@dataclass(frozen=True)
class Stuck:
    """When something counts as stuck, in seconds."""

    waiting: Seconds = _setting(
        ENOUGH.undelivered, "A message that has not been delivered.", "a number of seconds above 0"
    )
    unacknowledged: Seconds = _setting(
        ENOUGH.unacknowledged,
        "A message that was delivered, and that its recipient has neither acknowledged nor answered.",
        "a number of seconds above 0",
    )
    blocked: Seconds = _setting(
        ENOUGH.blocked,
        "An agent that waits for a human, such as for a permission.",
        "a number of seconds above 0",
    )

    @property
    def thresholds(self) -> Thresholds:
        """The settings, as `msgcode.debugger.stuck` takes them."""
        return Thresholds(
            unknown=self.waiting,
            undelivered=self.waiting,
            silent=self.waiting,
            unacknowledged=self.unacknowledged,
            blocked=self.blocked,
        )


@dataclass(frozen=True)
class Settings:
    """All settings."""

    theme: str = _setting(
        "textual-dark",
        "The colours. The palette (ctrl+p) lists the themes and tries them.",
        "the name of a theme",
    )
    clock: times.Clock = _setting("24h", "How times of day are shown.", '"24h" or "12h"')
    keys: Mapping[str, str] = field(default_factory=dict)
    """Keys in place of the default ones, by the id of the binding."""
    notify: Notify = Notify()
    thread: Thread = Thread()
    stuck: Stuck = Stuck()


DEFAULTS = Settings()


def default_path() -> Path:
    """Where the settings are unless another file is named."""
    return platformdirs.user_config_path("msgcode") / "settings.toml"


def load(named: str | None = None) -> Settings:
    """The settings in the file that is named, else in that of MSGCODE_CONFIG, else in `default_path`.

    Only the last need not exist. Raises BadInput, with the file and the line, for whatever is wrong.
    """
    named = named or os.environ.get("MSGCODE_CONFIG")
    path = Path(named).expanduser() if named else default_path()
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        if named:
            raise BadInput(f"there are no settings at {path}; --print-settings prints some.") from None
        return DEFAULTS
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not in UTF-8.") from error
    return read(text, path)


def read(text: str, path: Path) -> Settings:
    """The settings in the text of the file `path`. Raises BadInput."""
    import tomllib  # Only now: most users have no such file, and the first picture would wait for it.

    from msgcode_tui.toml_lines import line_of

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path} is not TOML: {error}.") from error
    try:
        return _read_table(Settings, table, ())
    except _Wrong as wrong:
        line = line_of(text, wrong.at)
        raise BadInput(f"{path}, line {line}: {wrong.sentence}") from None


class _Wrong(Exception):
    """at: the keys that lead to what is wrong."""

    def __init__(self, at: tuple[str, ...], sentence: str) -> None:
        super().__init__(sentence)
        self.at = at
        self.sentence = sentence


def _read_table(cls: type[S], table: Mapping[str, object], at: tuple[str, ...]) -> S:
    hints = get_type_hints(cls, include_extras=True)
    known = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    values: dict[str, object] = {}
    for name, value in table.items():
        here = (*at, name)
        if name not in known:
            raise _Wrong(here, f"there is no setting {'.'.join(here)!r}{nearest(name, known)}.")
        if name == "keys" or is_dataclass(hints[name]):
            if not isinstance(value, dict):
                raise _Wrong(here, f"{name} must be a table, such as [{name}], not {_shown(value)}.")
            values[name] = (
                _read_keys(value, here) if name == "keys" else _read_table(hints[name], value, here)
            )
        else:
            values[name] = _read_value(hints[name], known[name], value, here)
    return cls(**values)


def _read_value(hint: Any, about: Field[Any], value: object, at: tuple[str, ...]) -> object:
    wrong = f"{'.'.join(at)} must be {about.metadata['must_be']}, not {_shown(value)}"
    try:
        read = msgspec.convert(value, hint)
    except msgspec.ValidationError:
        raise _Wrong(at, f"{wrong}.") from None
    if at == ("theme",) and read not in themes.names():
        raise _Wrong(at, f"{wrong}{nearest(str(read), themes.names())}.")
    return read


def _read_keys(table: Mapping[str, object], at: tuple[str, ...]) -> dict[str, str]:
    keymap: dict[str, str] = {}
    places: dict[str, tuple[str, ...]] = {}
    for here, value in _leaves(table, at):
        id = ".".join(here[1:])
        if not isinstance(value, str):
            raise _Wrong(here, f'keys.{id} must be keys, such as "ctrl+n" or "n,down", not {_shown(value)}.')
        keymap[id] = value
        places[id] = here
    if keymap and (problem := keys.problem(keymap)):
        raise _Wrong(places[problem.id], f"keys.{problem.id}: {problem.sentence}")
    return keymap


def _leaves(table: Mapping[str, object], at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """The values with the keys that lead to them: `rooms.next` without quotes is a table in TOML."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*at, name))
        else:
            yield (*at, name), value


def _shown(value: object) -> str:
    """The value as TOML has it, or nearly."""
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"


# The documented file


def documented() -> str:
    """A file of the default settings in which each is explained."""
    lines = ["# The settings of msgcode-tui, with their defaults. Each may be left out.", ""]
    lines += _documented_values(DEFAULTS)
    for part in (Notify(), Thread(), Stuck()):
        lines += [
            "",
            f"# {type(part).__doc__}",
            f"[{type(part).__name__.lower()}]",
            *_documented_values(part),
        ]
    lines += ["", "# Other keys. These are the default ones: take the # away from what you change.", "[keys]"]
    for own in keys.bindings().values():
        lines += [f"# {binding.id} = {json.dumps(binding.key)}  # {binding.tooltip}" for binding in own]
    return "\n".join(lines) + "\n"


def _documented_values(part: object) -> Iterator[str]:
    for setting in fields(part):  # type: ignore[arg-type]
        if setting.metadata:
            yield from (f"# {line}" for line in wrap(setting.metadata["about"], 98))
            yield f"{setting.name} = {json.dumps(getattr(part, setting.name))}"
