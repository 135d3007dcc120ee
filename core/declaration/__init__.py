"""How a pipeline says what it is, and how that is found."""

from core.declaration.deployment import SHARED_LIMIT, Offer, Shaped, bound, deployed
from core.declaration.discovery import offered, pipeline, pipelines
from core.declaration.graph import Graph, Kind, Retry, Step
from core.declaration.pipeline import Companion, Data, Part, Pipeline, Shape, Source, always

__all__ = [
    "SHARED_LIMIT",
    "Companion",
    "Data",
    "Graph",
    "Kind",
    "Offer",
    "Part",
    "Pipeline",
    "Retry",
    "Shape",
    "Shaped",
    "Source",
    "Step",
    "always",
    "bound",
    "deployed",
    "offered",
    "pipeline",
    "pipelines",
]
