"""Everything that is deployed, in one code location: what is bound, and each pipeline that lies beside."""

from importlib import import_module
from pathlib import Path

import dagster as dg
from binding.binding import defs as bound

HERE = Path(__file__).parents[1]
NAMES = sorted(path.parent.name for path in HERE.glob("*/*.py") if path.stem == path.parent.name != "binding")

defs = dg.Definitions.merge(bound, *(import_module(f"{name}.{name}").defs for name in NAMES))
