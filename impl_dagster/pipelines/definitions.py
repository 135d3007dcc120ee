"""Everything that is deployed, in one code location: each folder that lies beside."""

from importlib import import_module
from pathlib import Path

import dagster as dg

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*/*.py") if path.stem == path.parent.name)

defs = dg.Definitions.merge(*(import_module(f"{name}.{name}").defs for name in NAMES))
