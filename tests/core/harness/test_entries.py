"""What is ours in a file: put in and taken out, and nothing beside it is touched."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from msgcode.errors import Refused
from msgcode.harness import json_text, toml_text
from msgcode.harness.description import Harness, Role
from msgcode.harness.entries import Entries, entries, has_ours, holds, put_in, take_out
from tests.core.harness.programs import ALL, CLAUDE, CODEX, GEMINI


def command(role: Role) -> str:
    return f"exec sh /opt/msgcode/harness/hook.sh /state /usr/bin/python3 claude {role}"


def older(role: Role) -> str:
    return f"exec sh '/opt/my old/msgcode/harness/hook.sh' /state /usr/bin/python2 claude {role}"


def server(python: str) -> dict[str, Any]:
    return {"command": python, "args": ["-P", "-m", "msgcode", "mcp", "--harness", "claude"]}


def in_one_file(harness: Harness) -> Entries:
    """All that the program's files have to say, as if they were one."""
    values = [
        want for one in entries(harness, server("/usr/bin/python3"), command).values() for want in one.values
    ]
    return Entries(values, harness.hooks_at)


OURS = in_one_file(CLAUDE)
OLDER = Entries(
    [want for one in entries(CLAUDE, server("/usr/bin/python2"), older).values() for want in one.values],
    CLAUDE.hooks_at,
)

# Documents of users: anything at all, and what programs keep in the places that we add to

_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_GROUP = st.builds(
    lambda matcher, commands: {
        "matcher": matcher,
        "hooks": [{"type": "command", "command": c} for c in commands],
    },
    st.text(),
    st.lists(st.text(), max_size=2),
)
_FITTING = st.fixed_dictionaries(
    {},
    optional={
        "hooks": st.dictionaries(
            st.sampled_from(["PostToolUse", "Stop", "Other"]), st.lists(_GROUP | _ANYTHING, max_size=2)
        ),
        "permissions": st.fixed_dictionaries(
            {}, optional={"allow": st.lists(st.text(), max_size=3), "deny": _ANYTHING}
        ),
        "mcpServers": st.dictionaries(st.text(), _ANYTHING, max_size=2),
    },
)
_DOCUMENTS = st.builds(
    lambda before, known, after: {
        **before,
        **known,
        **{key: after[key] for key in after if key not in known},
    },
    st.dictionaries(st.text(), _ANYTHING, max_size=2),
    _FITTING,
    st.dictionaries(st.text(), _ANYTHING, max_size=2),
).filter(lambda document: all(isinstance(document.get(key, {}), dict) for key in ("hooks", "mcpServers")))
_LAYOUTS = st.sampled_from(
    [
        {"indent": 2},
        {"indent": 4},
        {"indent": "\t"},
        {},
        {"separators": (",", ":")},
        {"indent": 2, "ensure_ascii": False},
    ]
)


@given(_DOCUMENTS, _LAYOUTS, st.sampled_from(["", "\n", "  \n\n"]), st.booleans())
def test_in_and_out_again(document: Any, layout: Any, end: str, windows: bool) -> None:
    text = json.dumps(document, **layout) + end
    if windows:
        text = text.replace("\n", "\r\n")
    into = put_in(json_text, text, OURS)
    assert holds(json_text.load(into), OURS)
    assert put_in(json_text, into, OURS) == into
    assert take_out(json_text, into, OURS, document) == text


@given(_DOCUMENTS, _LAYOUTS, _ANYTHING, st.sampled_from([None, 2, 8]), _GROUP, st.text())
def test_what_others_add_in_between_stays(
    document: Any, layout: Any, value: Any, indent: int | None, group: Any, rule: str
) -> None:
    def edit(data: Any) -> Any:
        data = copy.deepcopy(data)
        data["new"] = value
        data.setdefault("hooks", {}).setdefault("Stop", []).insert(0, group)
        data.setdefault("permissions", {}).setdefault("allow", []).append(rule)
        data.setdefault("mcpServers", {})["other"] = value
        return data

    into = json_text.load(put_in(json_text, json.dumps(document, **layout), OURS))
    out = take_out(json_text, json.dumps(edit(into), indent=indent), OURS, document)
    assert json_text.load(out) == edit(document)


@given(_DOCUMENTS, _LAYOUTS)
def test_those_of_another_version_are_replaced(document: Any, layout: Any) -> None:
    text = json.dumps(document, **layout)
    into = put_in(json_text, put_in(json_text, text, OLDER), OURS)
    assert "old" not in json.dumps(json_text.load(into)["mcpServers"]["msgcode"])
    assert not holds(json_text.load(into), OLDER)
    assert holds(json_text.load(into), OURS)
    assert take_out(json_text, into, OURS, document) == text


@given(_ANYTHING)
def test_what_does_not_fit_is_refused(document: Any) -> None:
    with pytest.raises(Refused, match=r"^permissions\.allow is not a list in it$"):
        put_in(json_text, json.dumps({"new": document, "permissions": {"allow": {}}}), OURS)
    with pytest.raises(Refused, match=r"^hooks is not an object in it$"):
        put_in(json_text, json.dumps({"hooks": [document]}), OURS)
    with pytest.raises(Refused, match=r"^the whole is not an object in it$"):
        put_in(json_text, json.dumps([document]), OURS)


def test_the_layout_is_the_files_own() -> None:
    text = '{\n    "a": [1,2],   "b": 1e3,\n    "permissions": {"allow": ["Bash(ls)"]}\n}\n'
    into = put_in(json_text, text, in_one_file(GEMINI))
    assert into.startswith(
        text.removesuffix("\n}\n") + ',\n    "hooks": {\n        "SessionStart": [\n            {\n'
    )
    into = put_in(json_text, text, OURS)
    assert '    "permissions": {"allow": ["Bash(ls)", "mcp__msgcode"]},\n' in into
    assert take_out(json_text, into, OURS, json.loads(text)) == text


def test_the_layout_is_odd() -> None:
    text = '{"privacy": {"statistics": false},\n "general": {"updates": false}}\n'
    into = put_in(json_text, text, in_one_file(GEMINI))
    assert into.startswith(
        text.removesuffix("}\n") + ',\n "hooks": {\n  "SessionStart": [\n   {\n    "hooks": ['
    )
    assert ',\n "mcpServers": {\n  "msgcode": {\n   "command": ' in into


def test_a_file_on_one_line_stays_on_one() -> None:
    assert "\n" not in put_in(json_text, '{"a":1}', OURS)
    assert put_in(json_text, '{"a":1}', in_one_file(GEMINI)).startswith(
        '{"a":1,"hooks":{"SessionStart":[{"hooks":['
    )


def test_what_was_the_users_already_stays() -> None:
    text = json.dumps(
        {"permissions": {"allow": ["mcp__msgcode"]}, "mcpServers": {"msgcode": {"command": "mine"}}}
    )
    into = put_in(json_text, text, OURS)
    assert into.count('"mcp__msgcode"') == 1
    assert json.loads(into)["mcpServers"]["msgcode"]["command"] == "/usr/bin/python3"
    edited = json.dumps({**json.loads(into), "more": 1})
    out = json.loads(take_out(json_text, edited, OURS, json.loads(text)))
    assert out == {**json.loads(text), "more": 1}


def test_a_hook_of_the_users_beside_ours_stays() -> None:
    data = json.loads(put_in(json_text, "", OURS))
    mine = {"type": "command", "command": "echo"}
    data["hooks"]["Stop"][0]["hooks"].append(mine)
    out = json.loads(take_out(json_text, json.dumps(data), OURS, {}))
    assert out == {"hooks": {"Stop": [{"hooks": [mine]}]}}


def test_what_the_program_adds_to_our_server_stays_with_a_new_version() -> None:
    data = json.loads(put_in(json_text, "", OLDER))
    data["mcpServers"]["msgcode"]["approved"] = True
    into = json.loads(put_in(json_text, json.dumps(data), OURS))
    assert into["mcpServers"]["msgcode"] == {
        **server("/usr/bin/python3"),
        **CLAUDE.mcp_options,
        "approved": True,
    }


@pytest.mark.parametrize("harness", ALL)
def test_without_knowing_what_was_before(harness: Harness) -> None:
    ours = in_one_file(harness)
    into = put_in(json_text, '{"a": 1, "hooks": {}}', ours)
    assert has_ours(json.loads(into), ours)
    out = json.loads(take_out(json_text, into, ours))
    assert not has_ours(out, ours)
    assert "mcp__msgcode" not in json.dumps(out)


# TOML

_TOML = """\
# mine
model = "x"  # and why

[features]
hooks = false # not yet
[mcp_servers.other]
command = "a"
args = [ "1",
  "2" ]

[tui]
x = 1_000
"""


def test_toml() -> None:
    ours = entries(CODEX, server("/usr/bin/python3"), command)[CODEX.mcp_file]
    into = put_in(toml_text, _TOML, ours)
    for line in ("# mine\n", 'model = "x"  # and why\n', 'args = [ "1",\n  "2" ]\n', "x = 1_000\n"):
        assert line in into
    assert "[mcp_servers.msgcode]\n" in into
    assert holds(toml_text.load(into), ours)
    assert put_in(toml_text, into, ours) == into
    more = into + '\n[hooks.state."/a:post_tool_use:0:0"]\ntrusted_hash = "b"\n'
    out = take_out(toml_text, more, ours, toml_text.load(_TOML))
    assert toml_text.load(out) == {**toml_text.load(_TOML), "hooks": toml_text.load(more)["hooks"]}
    assert "hooks = false # not yet\n" in out


_TOML_VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc.", min_size=1), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["model", "mcp_servers", "features", "tui", "hooks"]),
        st.dictionaries(st.text("abc .", min_size=1), _TOML_VALUES, max_size=3),
    ),
    st.dictionaries(st.text("xyz", min_size=1), _TOML_VALUES, max_size=2),
)
def test_any_toml(tables: dict[str, Any], values: dict[str, Any]) -> None:
    document = values | tables
    text = tomlkit.dumps(document)
    before = toml_text.load(text)
    assert before == document
    ours = entries(CODEX, server("/usr/bin/python3"), command)[CODEX.mcp_file]
    into = put_in(toml_text, text, ours)
    assert holds(toml_text.load(into), ours)
    later = into + "\n[later]\nx = 1 # why\n"
    out = take_out(toml_text, later, ours, before)
    assert toml_text.load(out) == {**before, "later": {"x": 1}}
    assert "x = 1 # why" in out


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a = 1",
        'mcp_servers = {other = {command = "a"}}\n',
        'mcp_servers.other.command = "a"\nfeatures.x = true\n',
        '[mcp_servers]\n[features]\nx = true\n\n[mcp_servers.other]\ncommand = "a"\n[features.y]\n[tui]\n',
        '[mcp_servers.msgcode]\ncommand = "mine"\n# note\n[mcp_servers.msgcode.env]\nA = "b"\n',
        "[[list]]\na = 1\n[[list]]\na = 2\n",
    ],
)
def test_toml_in_all_its_shapes(text: str) -> None:
    ours = entries(CODEX, server("/usr/bin/python3"), command)[CODEX.mcp_file]
    before = toml_text.load(text)
    into = put_in(toml_text, text, ours)
    assert holds(toml_text.load(into), ours)
    assert toml_text.load(take_out(toml_text, into, ours, before)) == before
