"""A small engine: a queue in SQLite, a server that fills it, a worker that empties it, a process for each attempt."""

from toyflow.conduct import local
from toyflow.flow import OFFERED, Flow, Limits, Node

__all__ = ["OFFERED", "Flow", "Limits", "Node", "local"]
