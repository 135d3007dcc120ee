"""What the manifest says of pipelines is what their folders declare."""

from __future__ import annotations

import pytest

from bench.contract.records import Manifest
from bench.observe.declared import in_turn, pipelines
from bench.observe.first_schema import DECLARED_PIPELINES
from core.declaration import Graph, Kind, Step
from core.declaration import pipelines as found

GRAPHS = {
    "a row": (Graph((Step("a"), Step("b", ("a",)), Step("c", ("b",)))), True),
    "two at once": (Graph((Step("a"), Step("b", ("a",)), Step("c", ("a",)))), False),
    "arms of a branch": (
        Graph((Step("a", (), Kind.BRANCH, arms=("b", "c", "d")), Step("b", ("a",)), Step("c", ("a",)),
               Step("d", ("a",)), Step("e", ("b", "c", "d"), Kind.JOIN))),
        True,
    ),
    "beside a branch": (Graph((Step("a", (), Kind.BRANCH, arms=("b", "c")), Step("b", ("a",)), Step("c", ("a",)),
                               Step("d"))), False),
    "mapped": (Graph((Step("a"), Step("b", ("a",), Kind.MAP, over="a"))), False),
    "one": (Graph((Step("a"),)), True),
}  # fmt: skip


@pytest.mark.parametrize(("graph", "expected"), GRAPHS.values(), ids=GRAPHS)
def test_steps_in_turn_are_known_from_the_graph(graph: Graph, expected: bool) -> None:
    assert in_turn(graph) is expected


def test_the_one_that_is_measured_stands_first() -> None:
    names = [one.name for one in found()]
    for name in names:
        told = [one.name for one in pipelines(name)]
        assert told[0] == name
        assert sorted(told) == names


def test_what_has_a_shape_or_a_role_is_not_plain() -> None:
    told = {one.name: one for one in pipelines("training")}
    assert {name for name, one in told.items() if one.plain} == {
        one.name for one in found() if not (one.shape or one.role)
    }
    manifest = Manifest(created_utc="", budget="quick", budget_s=None, seed=1, arguments={}, data={}, host={},
                        versions={}, pipelines=list(told.values()))  # fmt: skip
    assert manifest.plain[0] == "training"


def test_the_first_version_is_read_as_if_it_had_said_the_same() -> None:
    told = {one.name: one for one in pipelines("training")}
    for then in DECLARED_PIPELINES:
        now = told[then.name]
        assert (now.title, now.in_turn, now.size, now.shape, now.companion, now.effects) == (
            then.title, then.in_turn, then.size, then.shape, then.companion, then.effects,
        )  # fmt: skip
