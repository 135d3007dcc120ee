"""A section for each question that the scorecard answers and that has none of its own: a table of its metrics."""

from __future__ import annotations

from collections.abc import Collection

from bench.questions.catalogue import metric as describe
from bench.questions.discovery import questions
from bench.questions.record import Question
from reports.read.lookup import Lookup
from reports.sections.section import Section, made, present
from reports.sections.tables import Plan, arm_table
from reports.words.prose import finding, lower


def sections(lookup: Lookup, shown: Collection[str]) -> list[Section]:
    """Those of which anything was measured; `shown`: the groups that have a section."""
    asked = sorted(questions(), key=lambda one: one.place)
    built = [_section(lookup, one) for one in asked if one.headlines and one.group not in shown]
    return [section for section in built if section]


def _section(lookup: Lookup, question: Question) -> Section | None:
    first, *_ = question.headlines
    track = lookup.tracks[0] if lookup.tracks else "none"
    readings = lookup.readings(first.metric, track, first.mode)
    sentence = finding(lookup, describe(first.metric), lower(first.title), readings)
    names = [metric.name for metric in question.metrics]
    table = arm_table(lookup, f"table-{question.group}", question.title, Plan(names, first.mode))
    return present(made(question.group, question.title, sentence, tables=[table]))
