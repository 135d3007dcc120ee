"""Everything that is deployed, in one code location: each folder that lies beside."""

from importlib import import_module
from pathlib import Path

import dagster as dg

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*/*.py") if path.stem == path.parent.name)

FOUND = [import_module(f"{name}.{name}").defs for name in NAMES]

# each brings the resource `run` of its own, all alike; merging wants one object
defs = dg.Definitions(jobs=[job for each in FOUND for job in each.jobs], resources=FOUND[0].resources)
