"""notify: tell people that the model was not good enough."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request

from core.instrument.artifacts import Reference, check, refer, write_json
from core.instrument.errors import ConfigError, CoreError
from core.instrument.step import Attempt, step
from core.pipelines.training.settings import Training

WEBHOOK_TIMEOUT_S = 10.0


@step
def notify(attempt: Attempt, metrics: Reference) -> Reference:
    """Write a Slack-compatible message to `outbox/notify.json` and post it to the webhook, if any.

    Returns the reference to the message. Raises CoreError naming the webhook if it cannot be
    reached or refuses.
    """
    config, settings = attempt.config, attempt.settings(Training)
    accuracy = json.loads(check(metrics).read_text())["accuracy"]
    message = {"text": f"Model not deployed: accuracy {accuracy:.4f} is below the threshold {settings.threshold:.4f}."}
    path = config.run_dir / "outbox" / "notify.json"
    attempt.effect(f"notify:{config.run_id}")
    write_json(path, message)
    if settings.webhook:
        _post(settings.webhook, message)
    return refer(path)


def _post(url: str, message: dict[str, str]) -> None:
    parts = urllib.parse.urlsplit(url)
    where = f"webhook {parts.scheme}://{parts.hostname}"  # the rest of a webhook's address is its secret
    if parts.scheme not in ("http", "https"):
        raise ConfigError(f"{where}: the address in the run's config must begin with http:// or https://")
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=json.dumps(message).encode(), headers=headers)  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=WEBHOOK_TIMEOUT_S):  # noqa: S310
            pass
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise CoreError(f"{where}: message not delivered: {error}; check the address in the run's config") from error
