"""What the manifest says of an engine: its settings and intervals per track, what it offers, what it promises."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from bench.contract.adapter import Adapter
from bench.contract.endpoint import Endpoint
from bench.contract.records import Manifest
from bench.contract.words import Unsupported
from bench.observe.declared import with_roles
from bench.observe.provenance import SETTINGS, of_settings
from bench.observe.store import Store
from bench.session.bring_up import Session

SETTING = ("name", "value", "source", "reason")


def describe(manifest: Manifest, store: Store, session: Session) -> None:
    """Note an engine with the settings of a session's track; without paths and secrets of this machine.

    Each once: a session adds those that the ones before it had no need of.
    """
    adapter, track = session.adapter, session.workspace.track
    if adapter.name not in manifest.local_notes:
        manifest.local_notes[adapter.name] = adapter.local_note()
        manifest.abilities += _abilities(adapter.name, session.endpoint)
        manifest.engines = with_roles(manifest.engines, adapter)
    noted = {row["name"] for row in manifest.settings if (row["engine"], row["track"]) == (adapter.name, track)}
    for one in (one for one in adapter.settings() if one.name not in noted):
        told = {name: store.shorten(str(getattr(one, name)), workspace=session.scratch) for name in SETTING}
        for name, secret in session.workspace.secrets.items():
            told["value"] = told["value"].replace(secret, f"<{name}>")
        manifest.settings.append({"engine": adapter.name, "track": str(track), **told})
    looked = {row["name"] for row in manifest.polling if (row["engine"], row["track"]) == (adapter.name, track)}
    others = [one for one in manifest.digests if one.part != SETTINGS]
    manifest.digests = [*others, *of_settings(manifest.settings)]
    manifest.polling += [
        {"engine": adapter.name, "track": str(track), **dataclasses.asdict(one)}
        for one in adapter.polling()
        if one.name not in looked
    ]


def forget(manifest: Manifest, engine: str) -> None:
    """Take back what sessions told of an engine: the next ones tell it anew."""
    for rows in (manifest.settings, manifest.polling, manifest.abilities):
        rows[:] = [row for row in rows if row["engine"] != engine]
    manifest.local_notes.pop(engine, None)


def _abilities(engine: str, endpoint: Endpoint) -> list[dict[str, str]]:
    found = []
    for ability, offer in endpoint.abilities().items():
        offered = "no" if isinstance(offer, Unsupported) else "yes"
        text = getattr(offer, "reason", "") or getattr(offer, "description", "") or "over the API"
        found.append({"engine": engine, "ability": str(ability), "offered": offered, "text": text})
    return found


def promise(manifest: Manifest, kinds: Iterable[type[Adapter]]) -> None:
    """Note what faults can strike in each engine, and what its documentation lets expect of it."""
    manifest.targets = [row for kind in kinds for row in _targets(kind)]
    manifest.expectations = [row for kind in kinds for row in _expectations(kind)]


def _targets(adapter: type[Adapter]) -> list[dict[str, str]]:
    found = []
    for target, place in adapter.targets.items():
        offered, text = ("no", place.reason) if isinstance(place, Unsupported) else ("yes", place.text)
        found.append({"engine": adapter.name, "target": str(target), "offered": offered, "text": text})
    return found


def _expectations(adapter: type[Adapter]) -> list[dict[str, str]]:
    return [
        {
            "engine": adapter.name, "scenario": name, "outcomes": "; ".join(one.outcomes), "text": one.text,
            "source": one.source,
        }
        for name, one in adapter.expectations.items()
    ]  # fmt: skip
