"""Rooms in which agents go round in circles."""

from __future__ import annotations

from pathlib import Path

from msgcode import Message
from tests.troubles.stage import Recorded, Stage, Trouble

_THANKS = [
    "Thanks for the quick turnaround, much appreciated!",
    "You're welcome! Happy to help anytime.",
    "Great working with you. Thank you again!",
    "Likewise, it was a pleasure. Thanks!",
    "Perfect. Have a great day!",
    "You too, all the best!",
    "Thank you, noted.",
    "Sounds good, thanks for confirming.",
]


def ping_pong_thanks(folder: Path) -> Recorded:
    """After a piece of work two agents thank each other for an hour."""
    stage = Stage(folder, "alice", "bob")
    stage.hand_over(
        "alice", "bob", "parse_header() in core/http.py drops folded lines. Can you fix it, with a test?"
    )
    said = stage.hand_over(
        "bob",
        "alice",
        "Fixed on http-folding (3 lines in core/http.py:88), with test_folded_header in tests/test_http.py. "
        "All 214 tests pass.",
        after=240,
    )
    thanks = []
    for turn in range(40):
        sender, to = ("bob", "alice") if turn % 2 else ("alice", "bob")
        said = stage.hand_over(sender, to, _THANKS[turn % len(_THANKS)], reply_to=said, after=88)
        thanks.append(said)
    return stage.end(Trouble.THANKS, ("alice", "bob"), thanks)


def triangle(folder: Path) -> Recorded:
    """A flaky test is handed on from one to the next, and back to the first."""
    stage = Stage(folder, "api", "billing", "infra")
    rounds = [
        ("api", "billing", "test_invoice_totals failed again on main. It uses your fixtures: please look."),
        (
            "billing",
            "infra",
            "test_invoice_totals fails on the CI runner only, here it passes. Yours, infra?",
        ),
        ("infra", "api", "The runner is as ever. test_invoice_totals calls your client, so it is api's."),
        (
            "api",
            "billing",
            "Our client is as ever. test_invoice_totals uses billing's fixtures: please look.",
        ),
        ("billing", "infra", "The fixtures pass here. It fails on the CI runner only, so it is infra's."),
        ("infra", "api", "The CI runner is as ever, so it is the client: that is api's. Please look."),
    ]
    messages = [stage.hand_over(*rounds[turn % 6], after=150) for turn in range(18)]
    return stage.end(Trouble.CYCLE, ("api", "billing", "infra"), messages)


def polite_waiting(folder: Path) -> Recorded:
    """Two agents offer each other to go first, in almost the same words."""
    stage = Stage(folder, "left", "right", "docs")
    stage.hand_over("left", "right", "Both of us change core/config.py. Shall I rebase, or do you?")
    offers = [
        "Please go ahead with the rebase, I will wait until you are finished.",
        "No, please go ahead with the rebase first, I will wait until you are finished.",
    ]
    messages = []
    for turn in range(16):
        sender, to = ("left", "right") if turn % 2 else ("right", "left")
        messages.append(stage.hand_over(sender, to, offers[turn % 2], after=45))
        if turn % 5 == 0:
            stage.hand_over("docs", "left", f"docs/config.md has a section {turn} on its own keys now.")
    return stage.end(Trouble.CYCLE, ("right", "left"), messages)


def storm(folder: Path) -> Recorded:
    """Lead announces a freeze in a channel of six, and everybody answers everybody's answer in it."""
    crew = ("lead", "api", "web", "docs", "infra", "tests")
    stage = Stage(folder, *crew)
    stage.channel("dev", *crew)
    said = [
        stage.say("lead", "#dev", "Code freeze from 14:00 until v2.0 is tagged. Please confirm, all of you.")
    ]
    answers = [
        "Confirmed, {me} is frozen. Nothing of mine is open.",
        "Seen, {you}. {me} will not merge anything either, my branch waits.",
        "Good to know, {you}. Does that hold for hot fixes of {me} too?",
        "{you}: I understood it so, hot fixes go through the lead.",
        "Agreed with {you}. {me} keeps its pull requests as drafts.",
    ]
    for wave, body in enumerate(answers):
        heard: dict[str, Message] = {}
        for agent in crew:
            heard[agent] = stage.read(agent, after=0)[-1] if agent != "lead" or wave else said[0]
        for agent in crew:
            if agent != heard[agent].sender:
                text = body.format(me=agent, you=heard[agent].sender)
                said.append(stage.say(agent, "#dev", text, reply_to=heard[agent], after=1.5))
    return stage.end(Trouble.STORM, crew, said)
