"""What became of a run, in one word: journal in, outcome out. It is said once which words are good ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal, get_args

from bench.contract.words import Status
from bench.observe.journal import Journal
from bench.plan.scenarios.record import RIGHT, Expected, Extent

Outcome = Literal[
    "completed",
    "completed after recovery",
    "completed with help",
    "failed, reported",
    "failed as expected",
    "refused as expected",
    "duplicated",
    "lost",
    "stuck",
    "false success",
    "false failure",
    "cancel ignored",
    "indeterminate",
]
OUTCOMES: tuple[str, ...] = get_args(Outcome)
WHOLE = ("completed", "completed after recovery")
"""Of runs that came right by themselves."""
HELPED: Literal["completed with help"] = "completed with help"
"""It came right, but not by itself: a client had to submit it again."""
IGNORED: Literal["cancel ignored"] = "cancel ignored"
"""People asked for a run to be stopped, and it went on to its end."""
FAILED = ("failed, reported", "failed as expected")
"""Of runs that failed and were shown so."""
REFUSED: Literal["refused as expected"] = "refused as expected"
RANK: Mapping[str, int] = {
    **dict.fromkeys((*WHOLE, REFUSED), 4),
    HELPED: 3,
    **dict.fromkeys(FAILED, 2),
    "not supported": 1,
    "indeterminate": 0,
}
"""More is better. Every outcome that is not listed (lost, stuck, duplicated, false success ...) ranks lowest."""


def rank(outcome: str) -> int:
    """How good an outcome is, among others."""
    return RANK.get(outcome, -1)


def right(outcome: str, expected: Expected = RIGHT) -> bool:
    """Whether it is what should become of such a run."""
    if outcome in FAILED:
        return Status.FAILED in expected.states
    return outcome == REFUSED or (outcome in WHOLE and Status.COMPLETED in expected.states)


def outcome(
    journal: Journal,
    status: Status | None,
    expected: Expected = RIGHT,
    *,
    timed_out: bool = False,
    oracle: Journal | None = None,
    faulted: bool = False,
    helped: bool = False,
) -> Outcome:
    """Name what became of a run.

    `status` is the engine's last word, None if it has no record of the run; `oracle` the plain loop's run. `faulted`:
    something was broken from outside, so that even a run without a second attempt has recovered. `helped`: it was
    submitted again, so that it did nothing by itself.
    """
    oracle = oracle if oracle and oracle.attempts else None
    if journal.duplicates() or (oracle and _more_than(oracle, journal)):
        return "duplicated"
    if status is None:
        return "lost"
    if timed_out or status not in (Status.FAILED, Status.COMPLETED):
        return "stuck" if timed_out else "indeterminate"
    if expected.forbidden:
        return _refused(journal, status, oracle, expected)
    if status is Status.FAILED:
        return _failed(journal, oracle, expected)
    found = _succeeded(journal, oracle, expected, faulted)
    return HELPED if helped and found in WHOLE else found


def _refused(journal: Journal, status: Status, oracle: Journal | None, expected: Expected) -> Outcome:
    """Of a run in which something must not happen: it has the effect, ends otherwise, or refuses it."""
    ended_wrong: Outcome = "false success" if status is Status.COMPLETED else "false failure"
    if any(effect.step in expected.forbidden for effect in journal.effects):
        return ended_wrong
    if status not in expected.states:
        return "false success" if status is Status.COMPLETED else "failed, reported"
    if Extent.ALL not in (expected.required, expected.artifacts):
        return REFUSED
    if oracle is None:
        return "indeterminate"
    return REFUSED if _same(journal, oracle, expected) else ended_wrong


def _failed(journal: Journal, oracle: Journal | None, expected: Expected) -> Outcome:
    if oracle and (_same(journal, oracle) or (expected.asked and _had_its_effects(journal, oracle))):
        return "false failure"
    if expected.asked:
        return "failed as expected"
    unfinished = set(journal.steps()) - set(journal.counted())
    return "failed, reported" if unfinished or oracle else "indeterminate"


def _succeeded(journal: Journal, oracle: Journal | None, expected: Expected, faulted: bool) -> Outcome:
    if expected.asked:
        if not (oracle and _same(journal, oracle)):
            return "false success"
        # with the plain loop's own output a fault cannot have struck, which proves nothing; a request can
        return IGNORED if expected.stopped else "indeterminate"
    if oracle is None:
        return "indeterminate"
    if not _same(journal, oracle):
        never_ran = set(oracle.digests()) - set(journal.steps())
        no_effect = oracle.effect_kinds() - journal.effect_kinds()
        silent = not any(a.outcome != "ended" for a in journal.attempts)
        return "lost" if (never_ran or no_effect) and silent else "false success"
    return "completed after recovery" if faulted or journal.retried() else "completed"


def _same(journal: Journal, oracle: Journal, expected: Expected = RIGHT) -> bool:
    """Same output of the same steps, and the same effects: as far as they are expected."""
    alike = (journal.digests(), set(journal.steps())) == (oracle.digests(), set(oracle.steps()))
    own, others = (
        Counter(e.kind for e in one.effects if e.step not in expected.forbidden) for one in (journal, oracle)
    )
    return (alike or expected.artifacts is Extent.NONE) and (own == others or expected.required is Extent.NONE)


def _had_its_effects(journal: Journal, oracle: Journal) -> bool:
    """Whether all that the run is for has happened, even if not every step: a cancelled run may go that far."""
    expected = oracle.effect_kinds()
    return bool(expected) and not expected - journal.effect_kinds()


def _more_than(oracle: Journal, journal: Journal) -> bool:
    """Whether an effect that happened in the plain loop happened more often."""
    own = journal.effect_kinds()
    return any(own[kind] > times for kind, times in oracle.effect_kinds().items())


def effects_once(journal: Journal, oracle: Journal) -> bool:
    """Whether each kind of effect happened exactly as often as in the plain loop."""
    return journal.effect_kinds() == oracle.effect_kinds()
