"""What adapters declare: how their engine is installed, waited for, submitted to and reached."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from doubles import BringUp, Double

from bench.contract import registry
from bench.contract.endpoint import Reach
from bench.contract.engine import Submission
from bench.contract.installing import PythonLock, ShippedBinary
from bench.contract.processes import Command
from bench.contract.settings import Polling, longest_wait_s
from bench.contract.targets import Target
from bench.contract.workspace import BINDING
from bench.run.faults.targets import absent

CLIENT = """
import json, sys, urllib.request

api, run, pipeline, config = sys.argv[1:]
body = json.dumps({"pipeline": pipeline, "config": config, "id": run}).encode()
urllib.request.urlopen(urllib.request.Request(f"{api}/runs", data=body))
"""


class Client(Double):
    """Takes runs from a client process that knows what they are called."""

    submission = Submission.CLIENT

    def submit_command(self, pipeline: str, config: Path, run: str, variant: str = "") -> Command:  # noqa: ARG002
        api = f"http://127.0.0.1:{self.workspace.ports['api']}"
        return Command((sys.executable, "-c", CLIENT, api, run, pipeline, str(config)))


def test_a_run_that_a_client_process_submits_is_conducted_and_judged(bring_up: BringUp) -> None:
    session, conductor = bring_up(Client)
    seen = conductor.served(session)
    assert seen.run.outcome == "completed"
    assert seen.right


def test_an_engine_that_others_run_cannot_be_struck(bring_up: BringUp) -> None:
    session, _ = bring_up()
    assert not absent(session, Target.API)
    session.reach = frozenset({Reach.METER})
    assert "not the harness's to strike" in absent(session, Target.API)
    assert "not the harness's to strike" in absent(session, Target.CONTROL_PLANE)


def test_only_what_every_run_waits_for_spreads_submissions() -> None:
    rare, usual = Polling("rare", 300.0, ""), Polling("usual", 2.0, "", waits=True)
    assert longest_wait_s([rare, usual, Polling("shorter", 1.0, "", waits=True)]) == 2.0
    assert longest_wait_s([rare]) == 0.0


def test_versions_and_loading_follow_the_way_of_installing(tmp_path: Path) -> None:
    python = PythonLock("httpx", "httpx")
    assert python.version(Path(sys.prefix)) == ShippedBinary("httpx", "httpx").version(Path(sys.prefix))
    assert python.load(tmp_path)[-1] == "import httpx"
    assert ShippedBinary("httpx", "httpx").load(tmp_path) == (str(tmp_path / "bin" / "httpx"), "--version")
    with pytest.raises(KeyError):
        PythonLock("nothing-of-this-name", "nothing").version(Path(sys.prefix))


def test_an_engine_has_code_by_hand_or_by_its_binding_or_none(project: Path) -> None:
    assert registry.code_of(Double, "training") == "by hand"
    assert registry.code_of(Double, "chain") == "binding"
    assert registry.code_of(Double, "daily_files") == ""
    (project / "impl_double" / BINDING / f"{BINDING}.py").unlink()
    (project / "impl_double" / BINDING).rmdir()
    assert registry.code_of(Double, "chain") == ""


def test_engines_stand_in_the_order_of_their_places() -> None:
    found = registry.in_order()
    assert [one.name for one in found if one.default] == ["airflow", "prefect", "dagster"]
    assert [one.place for one in found] == sorted(one.place for one in found)
