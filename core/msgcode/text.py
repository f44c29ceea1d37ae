"""Untrusted text made safe to print.

Everything in a message, an agent or a channel is untrusted: it may come from a model that has read a
hostile page. It goes through `visible` before any terminal sees it, so that it cannot move the cursor, set
the clipboard, change the title, or pose as another line by turning its reading direction.
"""

from __future__ import annotations

import re

# Controls but tab and newline, invisible and direction-changing format characters, line separators, tags
# (invisible copies of ASCII), and lone surrogates. The joiners U+200C and U+200D stay: emoji and several
# scripts need them. Patterns, not compiled: `re` does that at first use, and it takes 1.5 ms.
_UNSAFE = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_UNSAFE_IN_LINE = f"[\t\n]|{_UNSAFE}"


def visible(text: str) -> str:
    """`text` with whatever a terminal might obey made visible; newlines and tabs are kept.

    ESC becomes `␛` (the control pictures of Unicode), a right-to-left override `<U+202E>`. A line end
    written as CR LF becomes LF.
    """
    if "\r\n" in text:
        text = text.replace("\r\n", "\n")
    return re.sub(_UNSAFE, _picture, text)


def visible_line(text: str) -> str:
    """`visible` for a single line: newlines and tabs become visible too."""
    return re.sub(_UNSAFE_IN_LINE, _picture, text.replace("\r\n", "\n"))


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"<U+{code:04X}>"
