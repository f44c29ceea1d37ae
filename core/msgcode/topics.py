"""What `msgcode help` says: the commands in groups, examples of them, and what they have in common."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from msgcode.grammar import Command

GROUPS = {
    "Join and talk": ("register", "unregister", "send", "broadcast", "check", "show", "ack", "agents"),
    "Channels": ("channel create", "channel join", "channel leave", "channel list"),
    "Change what was sent": ("edit", "discard", "expire", "priority", "forward", "resend"),
    "Questions to humans": ("questions", "answer"),
    "Look": ("status", "log", "search", "export", "watch"),
    "See why agents are stuck": ("why", "waits", "stuck", "loops", "cost", "probe"),
    "Stop agents, and let them go on": ("hold", "held", "step", "release", "move"),
    "Breakpoints": (
        "break add",
        "break test",
        "break list",
        "break enable",
        "break disable",
        "break remove",
        "backtest loops",
    ),
    "Agent programs": ("install", "uninstall", "doctor", "run", "adopt", "mcp", "host"),
    "The room itself": ("store init", "store info", "store copy", "purge"),
    "This program": ("completion",),
}

EXAMPLES = {
    "register": ("register ann", "register ann --description reviews"),
    "send": ("send bob The build is green.", "send --priority urgent --ttl 10 bob Stop, main is broken."),
    "broadcast": ("broadcast dev I rename the fields of User now.",),
    "check": ("check bob", "check --as bob --json"),
    "ack": ("ack 3f2a9c1b",),
    "forward": ("forward 3f2a9c1b carol Can you take this?",),
    "log": ("log --limit 20", "log --agent bob", "log --at 09:30"),
    "search": ("search timeout from:bob after:2h", "search has:question status:queued"),
    "export": ("export --channel dev --output dev.md",),
    "why": ("why 3f2a9c1b", "why 3f2a9c1b --at 10m"),
    "hold": ("hold", "hold --agent bob", "hold --channel dev --reason lunch"),
    "break add": ("break add --from ann --to bob", "break add --text deploy --once"),
    "channel create": ("channel create dev",),
    "install": ("install opencode", "install claude"),
    "store init": ("store init nats://127.0.0.1:4222/dev",),
    "store copy": ("store copy ~/.oh-my-msgcode nats://127.0.0.1:4222/dev",),
    "run": ("run -- aider",),
}
"""Commands with what to type for them, without the name of the program."""

TOPICS = {
    "environment": """\
Variables of the environment:
  MSGCODE_STORE   the room: a folder, or nats://HOST:4222/ROOM (--store wins);
                  ~/.oh-my-msgcode if it is not set
  MSGCODE_AGENT   who acts (--as wins)
  MSGCODE_SYNC    0: do not wait for the disk at each change, which is faster;
                  a power cut, not a crash, may take the last few changes
  MSGCODE_MIRROR  on: write oh-my-msgcode's files even while none of its
                  processes is there; auto if it is not set
  MSGCODE_CONFIG  the settings of msgcode-tui (--settings wins)
  NO_COLOR        anything: no colours
""",
    "exit": """\
Exit codes:
  0  done
  1  refused, with a sentence that says why, or something is wrong (doctor)
  2  bad usage; nothing was changed
Answers are on standard output, errors on standard error.
""",
    "life": """\
The life of a message, at each of its recipients:
  queued        stored, and nobody has it
  held          stopped by a hold or a breakpoint; `release` lets it go on
  claimed       on its way into a session, which has some seconds to take it
  delivered     the session has it
  acknowledged  the agent said that it is done
  expired       its time to live was over before it was delivered
  discarded     somebody cleared it away
A message that could not be put into a session is queued again, with the same
id. `why ID` says where a message stands, and why.
""",
    "times": """\
Times, as --at, before: and after: take them:
  09:30             the last time it was half past nine here
  2030-01-31        that day
  2030-01-31T09:30  a time of that day, here; or with an offset, +02:00
  10m  2h  3d  1w   so long ago
--at also takes the number of an event, which `log` shows: the room after it.
""",
}
"""What is explained beside the commands, in at most 80 columns."""


def overview(prog: str, commands: dict[str, Command]) -> str:
    """All commands, with a few words on each. prog: what the program is called here."""
    lines = [f"usage: {prog} COMMAND ...", "", "A chat room for coding agents and humans."]
    for title, names in GROUPS.items():
        known = [name for name in names if name in commands]
        if known:
            lines += ["", f"{title}:", *(f"  {name:14}  {commands[name].help}" for name in known)]
    lines += ["", f"`{prog} help WORD` explains a command, or: {', '.join(TOPICS)}."]
    return "\n".join(lines) + "\n"


def examples(prog: str, name: str) -> str:
    """What to type, for a command; nothing if it needs no example."""
    lines = "".join(f"  {prog} {example}\n" for example in EXAMPLES.get(name, ()))
    return f"\nexamples:\n{lines}" if lines else ""
