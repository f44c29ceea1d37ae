"""The settings file: what it may say, and what is said when it is wrong."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from msgcode.errors import BadInput
from msgcode_tui.settings import Notify, Settings, Stuck, default_path, documented, load, read

FILE = Path("settings.toml")
GUIDE = (Path(__file__).parents[2] / "tui" / "guides" / "settings.md").read_text()


def test_the_documented_file_holds_the_defaults() -> None:
    assert read(documented(), FILE) == read("", FILE) == Settings()


def test_every_setting_is_in_the_guide_with_its_default() -> None:
    values, _, _ = documented().partition("\n# Other keys.")
    assert values in GUIDE
    assert {field.name for field in fields(Settings)} - {"keys"} == {*tomllib.loads(values)}


def test_a_full_file() -> None:
    settings = read(
        """
        theme = "nord"
        keys."rooms.up" = "up,ctrl+k"
        keys.rooms.down = "f2"
        [notify]
        bell = false
        what = ["stuck"]
        quiet_hours = "22:00-07:30"
        [stuck]
        waiting = 90
        """,
        FILE,
    )
    assert settings.theme == "nord"
    assert settings.keys == {"rooms.up": "up,ctrl+k", "rooms.down": "f2"}
    assert settings.notify == Notify(bell=False, what=("stuck",), quiet_hours="22:00-07:30")
    assert settings.stuck == Stuck(waiting=90)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[notify]\nbell = "yes"', 'line 2: notify.bell must be true or false, not "yes".'),
        ('clock = "13h"', 'line 1: clock must be "24h" or "12h", not "13h".'),
        ("[notify]\nbel = true", "line 2: there is no setting 'notify.bel' (did you mean 'bell'?)."),
        ("\nnotfy.bell = true", "line 2: there is no setting 'notfy' (did you mean 'notify'?)."),
        ("\n\nnotify = true", "line 3: notify must be a table, such as [notify], not true."),
        ("[notify]\nwhat = [\n'mention']", 'line 2: notify.what must be a list of "mentions",'),
        ('notify.quiet_hours = "24:00-07:00"', 'two times, such as "22:00-07:00", or "", not "24:00-07:00".'),
        ("thread.compact = 1", "line 1: thread.compact must be true or false, not 1."),
        ("stuck.waiting = 0", "line 1: stuck.waiting must be a number of seconds above 0, not 0."),
        ("stuck.waiting = true", "must be a number of seconds above 0, not true."),
        ("stuck.waiting = nan", "must be a number of seconds above 0, not NaN."),
        ("theme = 2026-01-02", 'theme must be the name of a theme, not "2026-01-02".'),
        ('theme = "norde"', "theme must be the name of a theme, not \"norde\" (did you mean 'nord'?)."),
        ('[keys]\nroom.nex = "n"', "line 2: keys.room.nex: there is no binding of this name (did you mean"),
        ("[keys]\nroom.next = 1", "line 2: keys.room.next must be keys, such as"),
        ('[keys]\nroom.next = "ctrl-n"', "line 2: keys.room.next: 'ctrl-n' is no key. Write keys such as n"),
        ('[keys]\nroom.next = ""', "line 2: keys.room.next: '' is no key."),
        ('keys.room.next = "alt+up"', "'alt+up' is the key of room.previous already."),
        ('[keys]\nroom.next = "f2"\nroom.write = "f2"', "'f2' is the key of room."),
        ("theme = ", "settings.toml is not TOML: Invalid value"),
        ("theme = 'nord'\ntheme = 'nord'", "settings.toml is not TOML: Cannot overwrite a value"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BadInput) as raised:
        read(text, FILE)
    assert sentence in str(raised.value)
    assert str(raised.value).startswith("settings.toml")
    assert "\n" not in str(raised.value)


def test_keys_can_be_swapped() -> None:
    assert read('[keys]\nroom.next = "alt+up"\nroom.previous = "alt+down"', FILE).keys


def test_where_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load() == Settings()
    default_path().parent.mkdir(parents=True)
    default_path().write_text('theme = "nord"')
    assert load().theme == "nord"
    (tmp_path / "other.toml").write_text('theme = "dracula"')
    monkeypatch.setenv("MSGCODE_CONFIG", str(tmp_path / "other.toml"))
    assert load().theme == "dracula"
    (tmp_path / "third.toml").write_text('theme = "gruvbox"')
    assert load(str(tmp_path / "third.toml")).theme == "gruvbox"


def test_a_named_file_must_be_there_and_be_text(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"there are no settings at .*none\.toml"):
        load(str(tmp_path / "none.toml"))
    with pytest.raises(BadInput, match="cannot be read: Is a directory"):
        load(str(tmp_path))
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match=r"bytes\.toml is not in UTF-8"):
        load(str(tmp_path / "bytes.toml"))
