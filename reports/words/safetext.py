"""A small part of Markdown, rendered with everything escaped: code, bold and http(s) links, nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from markupsafe import Markup, escape

_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|\[(?P<label>[^\]\n]+)\]\((?P<target>https?://[^\s)]+)\)"
    r"|<?(?P<bare>https?://[^\s<>)\]`]+[^\s<>)\]`.,;:])>?"
    r"|\*\*(?P<bold>[^*\n]+)\*\*"
)
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_BULLET = re.compile(r"^\s{0,3}[-*+]\s+(.*)$")


@dataclass(frozen=True, slots=True)
class Notes:
    """The bullets of NOTES.md by what they stand under, lowercase heading -> bullets."""

    bullets: dict[str, list[str]] = field(default_factory=dict)

    def under(self, word: str) -> list[str]:
        return [text for heading, texts in self.bullets.items() if word in heading.split() for text in texts]


def inline(text: str) -> Markup:
    """Escape the text and mark up code, bold and links in it."""
    out = Markup()
    at = 0
    for match in _INLINE.finditer(text):
        out += escape(text[at : match.start()]) + _piece(match)
        at = match.end()
    return out + escape(text[at:])


def _piece(match: re.Match[str]) -> Markup:
    if match["code"]:
        return Markup("<code>{}</code>").format(match["code"])
    if match["bold"]:
        return Markup("<strong>{}</strong>").format(match["bold"])
    target = match["target"] or match["bare"]
    return Markup('<a href="{}" rel="noreferrer">{}</a>').format(target, match["label"] or target)


def parse_notes(text: str) -> Notes:
    """Collect bullets under headings; a bullet goes on over indented and following plain lines."""
    notes = Notes()
    heading = ""
    open_bullet = False
    for line in text.splitlines():
        if found := _HEADING.match(line):
            heading, open_bullet = re.sub(r"[^a-z0-9 ]+", " ", found[1].lower()).strip(), False
        elif found := _BULLET.match(line):
            notes.bullets.setdefault(heading, []).append(found[1].strip())
            open_bullet = True
        elif line.strip() and open_bullet:
            notes.bullets[heading][-1] += " " + line.strip()
        else:
            open_bullet = False
    return notes
