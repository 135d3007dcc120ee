"""The steps, one file each. Call them as `step(config_path, *references)`."""

from core.steps.branch import branch
from core.steps.cleanup import cleanup
from core.steps.deploy import deploy
from core.steps.evaluate import evaluate
from core.steps.extract import extract
from core.steps.features import features
from core.steps.notify import notify
from core.steps.train import train
from core.steps.validate import validate

__all__ = ["branch", "cleanup", "deploy", "evaluate", "extract", "features", "notify", "train", "validate"]
