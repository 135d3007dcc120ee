"""A section of the report, as the templates take it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reports.draw.charts import Figure
from reports.sections.tables import Table


@dataclass(frozen=True, slots=True)
class Section:
    """A question: one generated sentence, charts, tables, and the questions within it.

    The templates add what only one section has.
    """

    key: str
    title: str
    sentence: str
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    parts: tuple[Section, ...] = ()
    further: tuple[str, ...] = ()
    """Findings beside the sentence, a sentence each."""

    @property
    def lead(self) -> str:
        """The sentence, unless a chart has it as its title."""
        return "" if any(self.sentence in figure.title for figure in self.figures) else self.sentence


def made(
    key: str,
    title: str,
    sentence: str,
    *,
    figures: Iterable[Figure | None] = (),
    tables: Iterable[Table | None] = (),
    parts: Iterable[Section | None] = (),
    further: Iterable[str] = (),
) -> Section:
    """A section of what there is: what is None was not measured."""
    drawn, listed, within = tuple(f for f in figures if f), tuple(t for t in tables if t), tuple(p for p in parts if p)
    return Section(key, title, sentence, drawn, listed, within, tuple(further))


def present(section: Section) -> Section | None:
    """The section if it shows anything."""
    return section if section.figures or section.tables or section.parts else None
