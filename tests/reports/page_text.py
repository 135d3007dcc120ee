"""A page as its reader meets it: the visible words, one block a line. What the golden file holds."""

from __future__ import annotations

from html.parser import HTMLParser

HIDDEN = {"script", "style", "svg", "title"}
INLINE = {"span", "a", "code", "strong", "em", "button", "label", "input"}


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = [""]
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in HIDDEN
        if tag in ("td", "th"):
            self.lines[-1] += " | "
        elif tag not in INLINE or (dict(attrs).get("class") or "").split(" ")[0] == "line":
            self.lines.append("")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in HIDDEN

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.lines[-1] += data.replace("\n", " ")


def visible(html: str) -> str:
    """The page's words without drawings, scripts and styles."""
    words = _Words()
    words.feed(html)
    lines = (" ".join(line.split()) for line in words.lines)
    return "\n".join(line for line in lines if line.strip(" |")) + "\n"
