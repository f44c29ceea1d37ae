"""The commands that connect agent programs to the room, and undo that."""

from __future__ import annotations

import argparse

from msgcode.calls import Answer, Call
from msgcode.errors import BadInput
from msgcode.harness.known import HARNESSES, HOOKED, described
from msgcode.text import visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from msgcode.answers import Paint
    from msgcode.harness.install import Done

_THEN_OPENCODE = {
    "installed": "OpenCodes started from now on have the tools, and /msg.",
    "updated": "OpenCodes started from now on have the new version.",
    "unchanged": "It was in place already.",
}

_WHAT = {
    "made": "Made",
    "changed": "Changed",
    "unchanged": "In place already",
    "removed": "Removed",
    "restored": "As it was before",
    "cleaned": "Taken out of",
    "absent": "Nothing of msgcode in",
}


def _install(args: argparse.Namespace, paint: Paint) -> Answer:
    store = getattr(args, "store", None)
    if args.harness == "opencode":
        from msgcode.harness.opencode import install as opencode

        path, done = opencode.install(args.project, store)
        text = f"{done.capitalize()}: {path}. {_THEN_OPENCODE[done]}"
        return Answer(visible_line(text), {"file": str(path), "done": done})
    from msgcode.harness.install import install

    _not_for_a_project(args)
    harness = described(args.harness)
    files = install(harness, store)
    lines = _lines(files)
    if any(file.what != "unchanged" for file in files):
        lines.append(harness.then or f"Each {harness.title} that starts from now on is in the room.")
    return _answer(lines, files)


def _uninstall(args: argparse.Namespace, paint: Paint) -> Answer:
    if args.harness == "opencode":
        from msgcode.harness.opencode import install as opencode

        path, done = opencode.uninstall(args.project)
        text = f"Removed: {path}." if done == "removed" else f"Nothing to remove: there is no {path}."
        return Answer(visible_line(text), {"file": str(path), "done": done})
    from msgcode.harness.install import uninstall

    _not_for_a_project(args)
    files = uninstall(described(args.harness))
    return _answer(_lines(files), files)


def _not_for_a_project(args: argparse.Namespace) -> None:
    if args.project:
        raise BadInput(
            "--project is for OpenCode: other programs are connected for all of a user's projects."
        )


def _lines(files: list[Done]) -> list[str]:
    return [
        f"{_WHAT[file.what]}: {file.file}" + (f" (as it was: {file.backup})" if file.backup else "")
        for file in files
    ]


def _answer(lines: list[str], files: list[Done]) -> Answer:
    data = {"files": [{"file": file.file, "done": file.what, "backup": file.backup} for file in files]}
    return Answer("\n".join(map(visible_line, lines)), data)


def _host(call: Call) -> Answer:
    from msgcode.harness.opencode.host import main as serve

    serve(call.store)
    return Answer("", [], json_lines=True)


def _mcp(call: Call) -> Answer:
    from msgcode.mcp.main import main as serve

    serve(call.store, described(call.args.harness) if call.args.harness else None)
    return Answer("", [], json_lines=True)


# The grammar


def install_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("harness", choices=HARNESSES, help="the agent program")
    parser.add_argument(
        "--project", action="store_true", help="only for the project in this folder (OpenCode)"
    )
    parser.set_defaults(alone=_install)


def uninstall_arguments(parser: argparse.ArgumentParser) -> None:
    install_arguments(parser)
    parser.set_defaults(alone=_uninstall)


def host_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("harness", choices=["opencode"], help="the agent program")
    parser.set_defaults(run=_host)


def mcp_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--harness", choices=HOOKED, help="which program that is, if msgcode has hooks in it")
    parser.set_defaults(run=_mcp)
