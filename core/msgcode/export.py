"""Messages as a document: Markdown, JSON Lines, or one HTML page that needs nothing else.

Each format is a generator of text: a beginning, a chunk for each message, an end. Whoever writes them
down can so tell how far it has come. Times are in UTC. Everything in a message is untrusted: nothing of
it becomes markup, leaves its fence, or runs.
"""

from __future__ import annotations

import html
import json
import re
from urllib.parse import quote
from zlib import crc32

from msgcode.answers import speaker
from msgcode.codec import encode_time, message_json
from msgcode.model import Priority
from msgcode.text import visible, visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from msgcode.model import Message

    Writer = Callable[[Iterable[Message], str], Iterator[str]]


def chosen(
    messages: Iterable[Message],
    *,
    channel: str | None = None,
    agent: str | None = None,
    thread: str | None = None,
) -> list[Message]:
    """The messages of a channel, of what an agent sent or was sent, of a thread: of all that are given."""
    return [
        message
        for message in messages
        if channel in (None, message.channel)
        and thread in (None, message.thread)
        and (agent is None or agent in (message.sender, message.by) or agent in message.deliveries)
    ]


def json_lines(messages: Iterable[Message], title: str) -> Iterator[str]:
    """A line of JSON for each message, as `--json` prints it, in ASCII. The title has no place in it."""
    for message in messages:
        yield f"{json.dumps(message_json(message))}\n"


# Markdown

_ACTIVE = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@$^=])")
_LINK = re.compile(r"(www|:)(\.|//)", re.IGNORECASE)


def markdown(messages: Iterable[Message], title: str) -> Iterator[str]:
    """A heading for each message, its body in a fence, and what else there is to say as a list."""
    yield f"# {_inline(title)}\n"
    for message in messages:
        facts = [f"id: {_inline(message.id)}", f"status: {_inline(_statuses(message))}"]
        if message.reply_to:
            facts.append(f"in reply to: {_inline(message.reply_to)}")
        facts += [f"{_inline(key)}: {_inline(value)}" for key, value in message.metadata.items()]
        urgency = f", {message.priority}" if message.priority is not Priority.NORMAL else ""
        who = _inline(f"{speaker(message.sender, message.by)} to {_audience(message)}{urgency}")
        parts = ["", f"## {_time(message.sent_at)}, {who}", ""]
        if subject := (message.subject or "").strip():
            parts += [f"**{_inline(subject)}**", ""]
        parts += [_fenced(message.body), "", *(f"- {fact}" for fact in facts)]
        if message.edited:
            by = f"Edited by {_inline(message.edited.by)}, {_time(message.edited.at)}. First written:"
            parts += ["", by, "", _fenced(_first(message))]
        yield "\n".join([*parts, ""])


def _inline(text: str) -> str:
    """Text as it stands, within a line of Markdown: neither markup nor a link."""
    return _LINK.sub(r"\1\\\2", _ACTIVE.sub(r"\\\1", visible_line(text)))


def _fenced(text: str) -> str:
    text = visible(text)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


# HTML

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --muted: #666; --line: #8884; --light: 35%; }}
@media (prefers-color-scheme: dark) {{ :root {{ --muted: #999; --light: 72%; }} }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }}
article {{ border-top: 1px solid var(--line); padding: .75rem 0; }}
article:target {{ background: #fc02; }}
header b {{ color: hsl(var(--hue) 60% var(--light)); }}
time, .to, dl, summary {{ color: var(--muted); font-size: .85em; }}
.urgent, .high {{ font-size: .75em; font-weight: 600; text-transform: uppercase; }}
.urgent {{ color: #c22; }} .high {{ color: #b70; }}
h2 {{ font-size: 1em; margin: .25rem 0; }}
pre {{ font: 14px/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }}
pre {{ margin: .25rem 0; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: 0 .75rem; margin: .25rem 0 0; }}
dd {{ margin: 0; overflow-wrap: anywhere; }}
</style>
</head>
<body>
<h1>{title}</h1>
"""


def html_page(messages: Iterable[Message], title: str) -> Iterator[str]:
    """One page with its own style and no script, light or dark as the reader has it."""
    yield _PAGE.format(title=_escaped(title))
    for message in messages:
        yield _article(message)
    yield "</body>\n</html>\n"


def _article(message: Message) -> str:
    hue = crc32(message.sender.encode()) % 360
    head = [
        f'<b style="--hue: {hue}"><bdi>{_escaped(speaker(message.sender, message.by))}</bdi></b>',
        f'<span class="to">to <bdi>{_escaped(_audience(message))}</bdi></span>',
        f'<time datetime="{encode_time(message.sent_at)}">{_time(message.sent_at)}</time>',
    ]
    if message.priority is not Priority.NORMAL:
        head.insert(1, f'<span class="{message.priority}">{message.priority}</span>')
    facts = [("id", _escaped(message.id)), ("status", _escaped(_statuses(message)))]
    if message.reply_to:
        link = f'<a href="#{_anchor(message.reply_to)}">{_escaped(message.reply_to)}</a>'
        facts.append(("in reply to", link))
    facts += [(_escaped(key), _escaped(value)) for key, value in message.metadata.items()]
    parts = [f'<article id="{_anchor(message.id)}">', f"<header>{' '.join(head)}</header>"]
    if message.subject:
        parts.append(f'<h2 dir="auto">{_escaped(message.subject)}</h2>')
    parts.append(_text(message.body))
    if message.edited:
        when = _escaped(f"edited by {message.edited.by}, {_time(message.edited.at)}: what was first written")
        parts.append(f"<details><summary>{when}</summary>{_text(_first(message))}</details>")
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
    return "\n".join([*parts, f"<dl>{rows}</dl>", "</article>", ""])


def _text(body: str) -> str:
    # A parser drops the first newline in a <pre>, so it is given one to drop.
    return f'<pre dir="auto">\n{html.escape(visible(body))}</pre>'


def _escaped(text: str) -> str:
    return html.escape(visible_line(text))


def _anchor(id: str) -> str:
    return f"m-{quote(id, safe='')}"


# What the documents say alike


def _audience(message: Message) -> str:
    names = ", ".join(message.deliveries) or "nobody"
    return f"{names} in #{message.channel}" if message.channel else names


def _statuses(message: Message) -> str:
    statuses = {str(delivery.status) for delivery in message.deliveries.values()}
    if len(statuses) == 1:
        return statuses.pop()
    return ", ".join(f"{agent} {delivery.status}" for agent, delivery in message.deliveries.items()) or "sent"


def _first(message: Message) -> str:
    """What was first written, if it was edited."""
    edited = message.edited
    if not edited:
        return message.body
    return f"{edited.subject}\n\n{edited.body}" if edited.subject else edited.body


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


FORMATS: dict[str, Writer] = {"md": markdown, "jsonl": json_lines, "html": html_page}
"""What writes each format, by the ending of its files: given the messages and a title."""
