"""The training job with what people run beside it, and with the synthetic jobs where they are deployed."""

import importlib.util

import dagster as dg
from daily import daily
from roll_back import roll_back

beside = importlib.import_module("synthetic" if importlib.util.find_spec("synthetic") else "training")
defs = dg.Definitions.merge(beside.defs, dg.Definitions(jobs=[roll_back, daily]))
