"""The toy engine's settings per track, and where they are documented."""

from __future__ import annotations

import json

from bench.contract.settings import Polling, Setting
from bench.contract.words import Track
from bench.contract.workspace import Workspace

DOCS = "https://example.org/toyflow"
PRELOAD = ("sklearn.metrics", "sklearn.model_selection", "xgboost")
POLL_S = {Track.STOCK: 1.0, Track.TUNED: 0.1}
STALE_S = {Track.STOCK: 15.0, Track.TUNED: 3.0}


def settings_of(workspace: Workspace) -> list[Setting]:
    """All of the workspace's track; they are written into toyflow.json under their names."""
    track, why = workspace.track, "looked for more often; the default is {:g} s"
    at_once = workspace.at_once_over_all
    shared = [Setting("shared_slots", str(at_once), f"{DOCS}#slots", "steps at once over all runs")] if at_once else []
    return [
        *shared,
        Setting("port", str(workspace.ports["api"]), "required", "the session's own port"),
        Setting(
            "slots",
            str(workspace.parallelism),
            f"{DOCS}#slots",
            "steps at once within a run; the same number everywhere",
        ),
        Setting("preload", json.dumps(PRELOAD), f"{DOCS}#worker", "imported once, before the worker forks its runs"),
        Setting("poll_s", str(POLL_S[track]), f"{DOCS}#worker", why.format(POLL_S[Track.STOCK])),
        Setting("stale_s", str(STALE_S[track]), f"{DOCS}#heartbeats", why.format(STALE_S[Track.STOCK])),
    ]


def polling_of(track: Track) -> list[Polling]:
    """A run waits for the worker's next look; one that was lost, for its heartbeat to grow old."""
    return [
        Polling("poll_s", POLL_S[track], f"{DOCS}#worker", waits=True),
        Polling("stale_s", STALE_S[track], f"{DOCS}#heartbeats"),
    ]
