"""Loaded by tox itself: an environment for each engine, found by its folder; which Pythons it may run on; and Ctrl-C
ends a run in good order.

The last where tox had to fetch tox-uv first. Then the tox that was called only waits for the one that it fetched.
Ctrl-C reaches both and the program inside; the one that waits would leave at once, and take the output of the others
with it.
"""

import signal
import sys
from importlib.util import find_spec
from pathlib import Path

from tox.config.sets import CoreConfigSet
from tox.plugin import impl
from tox.session.state import State

ROOT = Path(__file__).parent
OLDEST, NEWEST = (3, 11), (3, 13)
"""The locks hold for these Pythons, and everything runs on the one that tox runs on."""

if not OLDEST <= sys.version_info[:2] <= NEWEST:
    here, (low, high) = ".".join(map(str, sys.version_info[:2])), (".".join(map(str, one)) for one in (OLDEST, NEWEST))
    raise SystemExit(f"tox runs on Python {here}, and {low} to {high} can be measured: install tox with one of those")

if find_spec("tox_uv") is None:
    signal.signal(signal.SIGINT, lambda *_: None)  # not SIG_IGN, which the processes inside would inherit


def engines() -> list[str]:
    return sorted(path.parent.name.removeprefix("impl_") for path in ROOT.glob("impl_*/adapter.py"))


@impl
def tox_extend_envs() -> list[str]:
    return engines()


@impl
def tox_add_core_config(core_conf: CoreConfigSet, state: State) -> None:  # noqa: ARG001 - called by these names
    """What a bare `tox` runs: the environments of tox.ini's list, then those of the engines."""
    core_conf["env_list"].envs.extend(engines())
