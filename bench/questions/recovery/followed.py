"""What is found of a run that was broken, and what people had to do."""

from __future__ import annotations

from bench.contract.words import Ability, Status, Unsupported
from bench.judge.aftermath import Aftermath, Limit
from bench.judge.findings import HANGING, Finding, Found, safe_findings
from bench.judge.outcome import HELPED, REFUSED, WHOLE
from bench.observe.journal import Journal
from bench.plan.scenarios.record import Action
from bench.questions.recovery import left_behind as aftermath
from bench.questions.recovery.broken import Broken, missed
from bench.questions.recovery.telling import not_met
from bench.run.conductor import Conductor
from bench.run.faults.manager import ProcessManager
from bench.run.faults.targets import roles_of
from bench.run.observation import Observation
from bench.session.bring_up import Session


def followed(conductor: Conductor, session: Session, broken: Broken, manager: ProcessManager, *, helped: bool) -> Found:
    """What is found of a run that was broken; with `helped`, also what people had to do."""
    actions, resumed = _actions(conductor, session, broken, manager) if helped else ("", None)
    found = judged(conductor, session, broken, resumed) | broken.left
    found |= {"actions": Finding("text", actions)} if helped else {}
    reason = missed(broken)
    return not_met(found, reason) if reason else found


def judged(conductor: Conductor, session: Session, broken: Broken, resumed: Journal | None) -> Found:
    """What the judge finds in the journal; `resumed`: the same with what came after people had resumed the run."""
    seen, graph = broken.seen, conductor.graph(broken.seen.journal)
    step = broken.scenario.step
    return safe_findings(
        Aftermath(
            journal=seen.journal, oracle=conductor.oracle, outcome=seen.run.outcome, right=seen.right,
            sightings=seen.sightings, strikes=tuple(broken.armed.strikes if broken.armed else ()),
            verdicts=seen.verdicts, graph=graph, step=step, limit_s=aftermath.patience_s(conductor, session),
            submit_ns=seen.run.submit_ns, resumed=resumed,
            retry_delay_s=graph.step(step).retry.delay_s,
            down_s=_down_s(broken), limit=_limit(conductor, session, broken),
        )
    )  # fmt: skip


def _down_s(broken: Broken) -> float:
    """How long what was struck from outside was kept down on purpose."""
    nemesis, armed = broken.scenario.nemesis, broken.armed
    healed = armed and any(one.healed_ns for one in armed.strikes)
    return nemesis.down_s if nemesis and healed and nemesis.action is not Action.RESTART else 0.0


def _limit(conductor: Conductor, session: Session, broken: Broken) -> Limit | None:
    """What ends a hang: our limit of a step where the engine has one for steps, or else that of the run."""
    scenario, runs = broken.scenario, conductor.workload.declared.timeout_factor
    if scenario.nemesis or not any(fault.kind.startswith(HANGING) for fault in scenario.faults):
        return None
    if not isinstance(session.endpoint.abilities()[Ability.STEP_TIMEOUT], Unsupported):
        return Limit("step", session.step_timeout_s)
    return Limit("run", runs * session.step_timeout_s) if runs else None


def _actions(
    conductor: Conductor, session: Session, broken: Broken, manager: ProcessManager
) -> tuple[str, Journal | None]:
    """What was done or has to be done by people, or by the process manager that they have set up.

    Also the journal of a run that was resumed.
    """
    scenario = broken.scenario
    done = ["submit again"] if broken.resubmitted else []
    if scenario.nemesis and broken.armed and any(one.healed_ns for one in broken.armed.strikes):
        restarted = roles_of(session, scenario.nemesis.target) or (str(scenario.nemesis.target),)
        if scenario.nemesis.action.starts_again:
            done.append(f"restart of {', '.join(restarted)} by the process manager")
    if manager.restarted:
        done.append(
            f"restart of {', '.join(dict.fromkeys(manager.restarted))}, which had ended, by the process manager"
        )
    resumed = None
    if Status.COMPLETED in scenario.expected.states and not _came_to_its_end(broken.seen):
        said, resumed = aftermath.helped(conductor, session, broken.seen)
        done.append(said)
    return "; ".join(done) or "none", resumed


def _came_to_its_end(seen: Observation) -> bool:
    """A doubled run may have failed all the same."""
    completed = seen.state is not None and seen.state.status is Status.COMPLETED
    return completed and seen.run.outcome in (*WHOLE, HELPED, REFUSED, "duplicated")
