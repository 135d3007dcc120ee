"""Apache Airflow, as the harness starts it: api-server, scheduler and dag-processor."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from bench.contract.adapter import Adapter
from bench.contract.earlier import Earlier
from bench.contract.engine import Database, EngineClass
from bench.contract.installing import PythonLock
from bench.contract.processes import Command, Function, Role
from bench.contract.settings import Polling, Setting
from bench.contract.words import Track
from core.declaration import Kind
from impl_airflow.endpoint import TITLE, USER, AirflowEndpoint
from impl_airflow.expectations import EXPECTATIONS
from impl_airflow.settings import DOCS, OBJECT_STORAGE, limits, polling_of, setting, tuned
from impl_airflow.targets import TARGETS

SKIP_SERVE_LOGS = "--skip-serve-logs"


class Airflow(Adapter):
    """API server, scheduler with its LocalExecutor, and DAG processor."""

    name = "airflow"
    title = TITLE
    engine_class = EngineClass.SERVED
    install = PythonLock("apache-airflow", "airflow.sdk")
    default = True
    run_s = 7.5
    earlier = Earlier(session_s=42.0, run_s=9.0, of_six=0.016)
    place, colour, shape = 0, "engine-1", "circle"
    binds = frozenset({Kind.STEP, Kind.MAP})
    published: ClassVar[dict[str, float]] = {"short": 116.2, "long": 54.7}
    published_version = "2.7.3"
    databases: ClassVar[dict[Track, Database]] = {Track.STOCK: Database.SQLITE, Track.TUNED: Database.POSTGRES}
    port_names = ("api", "worker_logs")
    secret_names = ("password", "jwt", "api")
    storages = (OBJECT_STORAGE,)
    targets = TARGETS
    expectations = EXPECTATIONS

    @cached_property
    def endpoint(self) -> AirflowEndpoint:
        space = self.workspace
        return AirflowEndpoint(self.http, self._base, space.secrets["password"], space.parallelism)

    def settings(self) -> list[Setting]:
        settings = [*self._necessities(), *limits(self.workspace), *self.workspace.storage]
        if self.workspace.postgres:
            url = f"postgresql+psycopg2://postgres@/airflow?host={self.workspace.postgres}"
            source = f"{DOCS}/howto/set-up-database.html"
            settings.append(setting("database", "sql_alchemy_conn", url, source, "PostgreSQL instead of SQLite"))
        if self.workspace.track is Track.TUNED:
            settings += tuned()
        return settings

    def _necessities(self) -> list[Setting]:
        space = self.workspace
        rows = [
            ("core", "dags_folder", str(space.pipelines), "where the pipelines are"),
            ("core", "load_examples", "False", "only the pipelines under test"),
            ("core", "dags_are_paused_at_creation", "False", "a paused DAG starts no run"),
            ("core", "simple_auth_manager_users", f"{USER}:admin", "a user for the API"),
            ("core", "simple_auth_manager_passwords_file", str(self._passwords), "a random password"),
            ("core", "execution_api_server_url", f"{self._base}/execution/", "port"),
            ("api", "base_url", self._base, "port"),
            ("api", "host", "127.0.0.1", "loopback only"),
            ("api", "port", str(space.ports["api"]), "port"),
            ("api", "secret_key", space.secrets["api"], "secret"),
            ("api_auth", "jwt_secret", space.secrets["jwt"], "secret"),
            ("dag_processor", "dag_bundle_storage_path", str(space.home / "bundles"), "not in the shared /tmp"),
            ("logging", "worker_log_server_port", str(space.ports["worker_logs"]), "port"),
        ]
        others = [
            Setting("AIRFLOW_HOME", str(space.home), "required", "the engine's own folder"),
            Setting(SKIP_SERVE_LOGS, "", "required", "its server listens on every address; log files are read locally"),
        ]
        return [*others, *(setting(section, key, value, "required", reason) for section, key, value, reason in rows)]

    def initialise(self) -> list[Command]:
        self._passwords.parent.mkdir(parents=True, exist_ok=True)
        self._passwords.touch(mode=0o600)
        self._passwords.write_text(json.dumps({USER: self.workspace.secrets["password"]}))
        return [self._airflow("db", "migrate")]

    def roles(self) -> list[Role]:
        return [
            Role("api-server", self._airflow("api-server"), Function.API),
            Role("scheduler", self._airflow("scheduler", SKIP_SERVE_LOGS), Function.SCHEDULING),
            Role("dag-processor", self._airflow("dag-processor"), Function.CODE, ready=self.endpoint.healthy),
        ]

    def polling(self) -> list[Polling]:
        return polling_of(self.settings())

    def local_initialise(self) -> list[Command]:
        return [self._local("airflow", "db", "migrate")]

    def local(self, pipeline: str, config: Path, variant: str = "") -> Command:  # noqa: ARG002 - it has none
        return self._local("python", *self.workspace.script(pipeline), str(config))

    def local_note(self) -> str:
        return (
            "`dag.test()` runs the tasks one after another in a single process (parallelism 1); "
            "it starts no service but needs a migrated metadata database, here SQLite."
        )

    def _airflow(self, *arguments: str) -> Command:
        return Command((self.workspace.executable("airflow"), *arguments), self._environment())

    def _local(self, executable: str, *arguments: str) -> Command:
        """A command on a home and a SQLite database of its own, whatever the served track uses."""
        home = self.workspace.home / "local"
        connection = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}"}
        environment = self._environment() | {"AIRFLOW_HOME": str(home)} | connection
        return Command((self.workspace.executable(executable), *arguments), environment)

    def _environment(self) -> dict[str, str]:
        return {one.name: one.value for one in self.settings() if one.name != SKIP_SERVE_LOGS}

    @property
    def _base(self) -> str:
        return f"http://127.0.0.1:{self.workspace.ports['api']}"

    @property
    def _passwords(self) -> Path:
        return self.workspace.home / "passwords.json"


ADAPTER = Airflow
