"""An engine's double: a real HTTP server in a process of its own that conducts the pipeline file, or lies about it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import httpx

from bench.contract.adapter import Adapter
from bench.contract.endpoint import Endpoint, RunState, StepState
from bench.contract.engine import Database, EngineClass
from bench.contract.installing import PythonLock
from bench.contract.processes import Command, Function, Role
from bench.contract.settings import Polling, Setting
from bench.contract.targets import OfRole, OfStep, Target, Targets
from bench.contract.words import Ability, AbilityTable, Expectation, Feature, Status, Track, Unsupported
from bench.run.conductor import Conductor
from bench.session.bring_up import Session
from core.declaration import Kind, Part, Step, pipeline
from core.instrument import journal
from core.instrument.config import load_config

BringUp = Callable[..., tuple[Session, Conductor]]
PROJECT = Path(__file__).parents[2]
RETRIES = 1

PIPELINE = '''"""The pipelines of the double: the inline loop."""

from __future__ import annotations

import sys

from bench.run.inline import conduct

if __name__ == "__main__":
    conduct(sys.argv[-1])
'''

SERVER = r'''
import collections, http.server, importlib, json, os, pathlib, runpy, signal, subprocess, sys, threading, time
import traceback

BEHAVIOUR, SCRIPTS = sys.argv[1], json.loads(sys.argv[2])
PORT, RETRIES, HARNESS = map(int, sys.argv[3:])
RUNS = {}
ASKED = {"state": 0}
REFUSED = collections.Counter()
FORKING = threading.Lock()


def script(argv):
    """Run a pipeline file in a process of its own, a fork: what takes long to import was imported before, once.

    Its exit code, and what it wrote.
    """
    with FORKING:
        importlib.import_module("xgboost")
        out, into = os.pipe()
        child = os.fork()
    if not child:
        os.dup2(into, 1), os.dup2(into, 2)
        os.closerange(3, 4096)  # the server's sockets are its own
        sys.argv[:] = argv
        code = 1
        try:
            runpy.run_path(argv[0], run_name="__main__")
            code = 0
        except SystemExit as ended:
            code = ended.code
        except BaseException as error:
            frames = error.__traceback__
            while frames.tb_next and frames.tb_frame.f_code.co_filename != argv[0]:
                frames = frames.tb_next  # as if the file had been run by itself
            traceback.print_exception(type(error), error, frames)
        finally:
            sys.stdout.flush(), sys.stderr.flush()
            os._exit(code)
    os.close(into)
    with open(out) as said:
        told = said.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told


def conduct(run, config):
    """Run the pipeline file, from the start again after a failure, as often as the double retries."""
    run["status"] = "running"
    for _ in range(RETRIES + 1):
        run["attempts"] += 1
        code, told = script([*SCRIPTS[run["pipeline"]], config])
        run["log"] += told
        if code == 0 and BEHAVIOUR != "does not learn of success":
            break
    honest = "completed" if code == 0 else "failed"
    run["status"] = {"hides failures": "completed", "denies success": "failed"}.get(BEHAVIOUR, honest)


def spoil(config):
    """Train something else than was asked for."""
    path = pathlib.Path(config)
    content = json.loads(path.read_text())
    content["settings"]["hyperparameters"] = {"n_estimators": 3}
    path.write_text(json.dumps(content))


def interrupt(config):
    """Ctrl-C for the harness, in the middle of the run that it watches."""
    journal = pathlib.Path(config).parent / "journal.jsonl"
    while not journal.exists():
        time.sleep(0.01)
    os.kill(HARNESS, signal.SIGINT)


def begin(run, config):
    if BEHAVIOUR == "does nothing":
        run["status"] = "completed"
        return
    if BEHAVIOUR in ("never ends", "refuses twice"):
        run["status"] = "running"
        run["child"] = subprocess.Popen(["sleep", "3600"])
        return
    if BEHAVIOUR == "trains something else":
        spoil(config)
    once = pathlib.Path(config).parents[2] / "interrupted"
    if BEHAVIOUR == "interrupts once" and len(RUNS) > 1 and not once.exists():
        once.touch()
        threading.Thread(target=interrupt, args=(config,), daemon=True).start()
    threading.Thread(target=conduct, args=(run, config), daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, content, code=200):
        body = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        parts = self.path.strip("/").split("/")
        if parts == ["health"]:
            self.answer({"pipelines": list(SCRIPTS)})
        elif parts == ["deployment"]:
            told = [subprocess.run([sys.executable, script, "-"], capture_output=True, text=True).stderr
                    for script in {script for script, *name in SCRIPTS.values()}]
            self.answer({"error": "".join(text for text in told if "ModuleNotFoundError" in text)})
        elif parts[1] not in RUNS:
            self.answer({}, 404)
        else:
            ASKED["state"] += 1
            if BEHAVIOUR == "stumbles" and ASKED["state"] % 2:
                self.answer({}, 503)
            else:
                self.answer({k: v for k, v in RUNS[parts[1]].items() if k != "child"})

    def do_POST(self):
        parts = self.path.strip("/").split("/")
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        if BEHAVIOUR == "refuses runs":
            self.answer({}, 500)
        elif BEHAVIOUR == "refuses twice" and REFUSED[self.path] < 2:
            REFUSED[self.path] += 1
            self.answer({}, 503)
        elif parts == ["runs"]:
            name = content.pop("id", str(len(RUNS) + 1))
            RUNS[name] = {"status": "pending", "attempts": 0, "log": "", "cancelled": False, **content}
            begin(RUNS[name], content["config"])
            self.answer({"id": name})
        elif parts[2] == "cancel":
            RUNS[parts[1]]["cancelled"] = True
            RUNS[parts[1]].pop("child").kill()
            self.answer({})
        else:
            RUNS[parts[1]]["status"] = "running"
            begin(RUNS[parts[1]], RUNS[parts[1]]["config"])
            self.answer({})

    def log_message(self, *arguments):
        pass


if BEHAVIOUR == "does not start":
    sys.exit("the double does not like this machine")
http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
'''


class DoubleEndpoint(Endpoint):
    """The double's server, asked over HTTP."""

    def __init__(self, http: httpx.Client, api: str, behaviour: str) -> None:
        super().__init__(http)
        self._api, self.behaviour = api, behaviour

    def healthy(self) -> bool:
        return self.http.get(f"{self._api}/health").is_success

    def deployed(self, pipeline: str) -> bool:
        return pipeline in self.http.get(f"{self._api}/health").json()["pipelines"]

    def submit(self, pipeline: str, config: Path, variant: str = "") -> str:
        answer = self.http.post(
            f"{self._api}/runs", json={"pipeline": pipeline, "config": str(config), "variant": variant}
        )
        return str(answer.raise_for_status().json()["id"])

    def state(self, run: str) -> RunState:
        found = self._run(run)
        one = StepState(Status(found["status"]), attempts=found["attempts"])
        steps = dict.fromkeys(_listed(found), one) if self.behaviour in ("behaves", "stumbles") else {}
        return RunState(Status(found["status"]), steps, raw=found)

    def status(self, run: str) -> Status:
        return Status(self._run(run)["status"])

    def logs(self, run: str, step: str | None) -> str:  # noqa: ARG002 - one log for all steps
        return str(self._run(run)["log"])

    def abilities(self) -> AbilityTable:
        absent = Unsupported("a double has none")
        return {
            Ability.RESUME: self._resume,
            Ability.CANCEL: self._cancel,
            Ability.DEPLOYMENT_ERROR: self._deployment_error,
            Ability.READ_AGAIN: Unsupported("it imports the files whenever it is asked for their error"),
            Ability.STEP_TIMEOUT: absent,
            Ability.RETRY_LOST_STEP: Feature("runs the whole file again"),
            Ability.CLEANUP_AFTER_FAILURE: Feature("the inline loop's own"),
        }

    def _run(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"{self._api}/runs/{run}").raise_for_status().json()
        return found

    def _resume(self, run: str) -> str:
        self.http.post(f"{self._api}/runs/{run}/resume", json={}).raise_for_status()
        return run

    def _cancel(self, run: str) -> str:
        self.http.post(f"{self._api}/runs/{run}/cancel", json={}).raise_for_status()
        return run

    def _deployment_error(self) -> str:
        return str(self.http.get(f"{self._api}/deployment").json()["error"])


class Double(Adapter):
    """Behaves well; subclasses say otherwise with `behaviour`."""

    name = "double"
    title = "Double"
    engine_class = EngineClass.SERVED
    asked: ClassVar[type[DoubleEndpoint]] = DoubleEndpoint
    install = PythonLock("httpx", "httpx")
    default = True
    run_s = 1.0
    place, colour, shape = 3, "engine-4", "cross"
    binds = frozenset({Kind.STEP, Kind.MAP})
    databases: ClassVar[dict[Track, Database]] = {Track.STOCK: Database.NONE, Track.TUNED: Database.POSTGRES}
    port_names = ("api",)
    secret_names = ("token",)
    behaviour: ClassVar[str] = "behaves"
    targets: ClassVar[Targets] = {
        Target.STEP: Unsupported("all steps run in the run's process"),
        Target.RUN: OfStep("conducts one run"),
        Target.WORKER: OfStep("starts runs", above="server.py"),
        Target.SCHEDULER: Unsupported("the server does it"),
        Target.API: OfRole("server", "answers, and starts runs"),
    }
    expectations: ClassVar[dict[str, Expectation]] = {
        "step_killed": Expectation(("completed after recovery",), "It says so.", "https://example.org/retries")
    }

    @cached_property
    def endpoint(self) -> DoubleEndpoint:
        return self.asked(self.http, f"http://127.0.0.1:{self.workspace.ports['api']}", self.behaviour)

    def settings(self) -> list[Setting]:
        port = Setting("port", str(self.workspace.ports["api"]), "required", "where it listens")
        return [port, *self.workspace.storage]

    def initialise(self) -> list[Command]:
        write = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
        return [Command((sys.executable, "-c", write, str(self.workspace.home / "server.py"), SERVER))]

    def roles(self) -> list[Role]:
        scripts = json.dumps({name: self.workspace.script(name) for name in self.workspace.offered})
        numbers = (self.workspace.ports["api"], RETRIES, os.getpid())
        command = Command(
            (sys.executable, str(self.workspace.home / "server.py"), self.behaviour, scripts, *map(str, numbers))
        )
        return [Role("server", command, Function.API, ready=self.endpoint.healthy)]

    def polling(self) -> list[Polling]:
        return []

    def local(self, pipeline: str, config: Path, variant: str = "") -> Command:  # noqa: ARG002 - it has none
        return Command((sys.executable, *self.workspace.script(pipeline), str(config)))

    def local_note(self) -> str:
        return "Starts nothing; one step after the other."


def _listed(run: dict[str, Any]) -> list[str]:
    """The steps that the double tells of: of a pipeline with parts the heavy one until it is complete, else all."""
    config = load_config(run["config"])
    declared = pipeline(config.pipeline)
    if declared.shape is None:
        ran = [str(record["step"]) for record in journal.read(config.run_dir)]
        return ran if run["status"] == Status.COMPLETED else [declared.part(Part.HEAVY)]
    graph = declared.graph(config.settings)
    return [name for step in graph for name in _names(step, config.settings.get(declared.size, 1))]


def _names(step: Step, many: int) -> list[str]:
    return [step.instance(index).name for index in range(1, many + 1)] if step.many else [step.name]


class UnableEndpoint(DoubleEndpoint):
    def abilities(self) -> AbilityTable:
        kept = super().abilities()
        return {name: Unsupported("a double has none") if callable(v) else v for name, v in kept.items()}


class Unable(Double):
    """Has none of the abilities that are callables."""

    asked = UnableEndpoint


def misbehaving(what: str) -> type[Double]:
    """A double of the given behaviour; `SERVER` says what each means."""
    return type("Misbehaving", (Double,), {"behaviour": what})


def make_project(root: Path, **engines: str) -> Path:
    """A checkout with the real `core` and `bench`, and for each engine a folder of a double of that behaviour."""
    root.mkdir()
    for package in ("core", "bench"):
        (root / package).symlink_to(PROJECT / package)
    for name, behaviour in (engines or {"double": "behaves"}).items():
        add_engine(root, name, behaviour)
    return root


def add_engine(root: Path, name: str, behaviour: str) -> None:
    """Add the folder of one engine, and its environment: the harness's own."""
    folder = root / f"impl_{name}"
    for path in (folder / "pipelines" / "training" / "training.py", folder / "binding" / "binding.py"):
        path.parent.mkdir(parents=True)
        path.write_text(PIPELINE)
    (folder / "__init__.py").touch()
    (folder / "adapter.py").write_text(
        "from doubles import Double\n\n\n"
        f"class Engine(Double):\n    name, title, behaviour = {name!r}, {name.title()!r}, {behaviour!r}\n\n\n"
        "ADAPTER = Engine\n"
    )
    (root / "environments").mkdir(exist_ok=True)
    (root / "environments" / name).symlink_to(sys.prefix)
