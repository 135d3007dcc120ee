"""What became of a broken run: journal in, findings out. Independent of the engine, and of what struck it."""

from __future__ import annotations

from dataclasses import dataclass

from bench.judge.aftermath import NS, UNSEEN, Aftermath, correct, detection_s, limited_s, overlaps, record, struck_ns
from bench.judge.recovery_time import never_ended, paused_ns, recovery, waited
from bench.judge.struck import what

UNITS = {
    "outcome": "text", "correct": "boolean", "struck": "text", "detection_s": "s", "detection_delay_s": "s",
    "detection_rest_s": "s", "recovery_s": "s", "recovery_work_s": "s", "recovery_delay_s": "s", "recovery_rest_s": "s",
    "attempts": "count", "wasted_s": "s", "overlaps": "count", "duplicates": "count", "record": "text",
}  # fmt: skip
"""What is found, and its unit."""
DETECTION = ("detection_s", "detection_delay_s", "detection_rest_s")
HANGING = "hang"
"""How the kinds of faults begin that leave an attempt without a trace of its end."""
BY_RESUMING = "when people resumed the run"


@dataclass(frozen=True, slots=True)
class Finding:
    """One value, or why there is none."""

    unit: str
    value: float | str | None
    note: str = ""


Found = dict[str, Finding]
"""By the last part of its name in the result."""


def safe_findings(case: Aftermath) -> Found:
    """As `findings`; if judging itself breaks, the outcome is indeterminate and nothing else has a value."""
    try:
        return findings(case)
    except Exception as error:  # noqa: BLE001 - whatever breaks in the judge, the run was not judged
        note = f"the judge crashed: {type(error).__name__}: {error}"
        unjudged = {name: Finding(unit, None, note) for name, unit in UNITS.items()}
        return unjudged | {"outcome": Finding(UNITS["outcome"], "indeterminate", note)}


def findings(case: Aftermath) -> Found:
    """Every finding by its name in the result: `recovery.<scenario>.<name>`.

    What happened twice counts also where it was people's resuming the run that did it.
    """
    journal, strikes, whole = case.journal, case.strikes, case.resumed or case.journal
    struck = struck_ns(journal, strikes)
    detected_s = detection_s(case.sightings, struck, ahead_ns=journal.ahead_ns())
    values: dict[str, float | str | None] = {
        "outcome": case.outcome,
        "correct": float(correct(journal, case.oracle)) if case.oracle.attempts else None,
        "struck": what(journal, strikes),
        "attempts": float(len(journal.attempts_of(case.step))),
        "wasted_s": _wasted_s(case, _lost_by_ns(case, struck, detected_s)) + _done_again_s(case),
        "overlaps": float(overlaps(whole, strikes)),
        "duplicates": float(len(whole.duplicates())),
        "record": record(case.verdicts),
    }
    absent = {"correct": "no inline run to compare with", "struck": "nothing that the journal or a strike tells of"}
    told = {name: (value, absent[name] if value is None else "") for name, value in values.items()}
    if len(whole.duplicates()) > len(journal.duplicates()):
        told["duplicates"] = (values["duplicates"], BY_RESUMING)
    told |= recovery(case, struck) | _detection(case, struck, detected_s)
    return {name: Finding(unit, *told[name]) for name, unit in UNITS.items()}


def _detection(case: Aftermath, struck: int | None, detected_s: float | None) -> dict[str, tuple[float | None, str]]:
    """As (seconds, note): from the fault until it was noticed, and of that what a limit of ours took, and the rest.

    What is noticed before that limit has come is noticed by the engine itself.
    """
    if detected_s is None:
        unseen = waited(case, struck) if struck and never_ended(case) else UNSEEN
        return dict.fromkeys(DETECTION, (None, unseen))
    delay_s = limited_s(case, struck)
    note = f"after the {case.limit.of}'s limit that you set, {case.limit.seconds:g} s" if case.limit and delay_s else ""
    return dict(zip(DETECTION, ((detected_s, note), (delay_s, ""), (detected_s - delay_s, "")), strict=True))


def _lost_by_ns(case: Aftermath, struck: int | None, detected_s: float | None) -> int | None:
    """Until when an attempt without an end was under way: the strike, or for a hang the instant it was noticed."""
    if case.strikes:
        return min(one.t_ns for one in case.strikes)
    hung = any(mark.kind.startswith(HANGING) for mark in case.journal.faults)
    return struck + round(detected_s * NS) if hung and struck and detected_s else None


def _wasted_s(case: Aftermath, lost_by_ns: int | None) -> float:
    """Seconds of work with which the run did not go on; time for which it stood still is no work."""
    still = sum(paused_ns(case, one) for one in case.journal.superseded(case.graph))
    return case.journal.wasted_s(case.graph, lost_by_ns) - still / NS


def _done_again_s(case: Aftermath) -> float:
    """Seconds of attempts that had ended, but did not count for a resume, which did their steps again."""
    if case.resumed is None:
        return 0.0
    last_ns = max((one.start_ns for one in case.journal.attempts), default=0)
    again = {one.step for one in case.resumed.attempts if one.start_ns > last_ns}
    return sum(one.time_s for one in case.journal.effective(case.graph) if one.step in again)
