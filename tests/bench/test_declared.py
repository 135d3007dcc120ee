"""What the manifest says of pipelines is what their folders declare."""

from __future__ import annotations

import pytest

from bench.contract import registry
from bench.contract.processes import Command, Function, Role
from bench.contract.records import Manifest
from bench.observe.declared import engines, in_turn, pipelines, with_roles
from bench.observe.first_schema import DECLARED_ENGINES, DECLARED_PIPELINES
from core.declaration import Graph, Kind, Step
from core.declaration import pipelines as found

NAMES = [one.name for one in DECLARED_ENGINES]
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


def test_engines_look_as_the_first_version_showed_them() -> None:
    told = {one.name: (one.title, one.place, one.colour, one.shape) for one in engines(map(registry.adapter, NAMES))}
    assert told == {one.name: (one.title, one.place, one.colour, one.shape) for one in DECLARED_ENGINES}


class Told:
    """As much of an adapter as tells its roles."""

    name = NAMES[0]

    def roles(self) -> list[Role]:
        true = Command(("true",))
        return [Role("boss", true, Function.SCHEDULING), Role("hand", true, Function.WORKER)]


def test_roles_say_what_they_have_in_common_and_stay_when_a_result_is_gone_on_with() -> None:
    kinds = [registry.adapter(name) for name in NAMES]
    first = with_roles(engines(kinds), Told())  # type: ignore[arg-type]
    told = {one.name: one.roles for one in engines(kinds, first)}
    assert told[NAMES[0]] == {"boss": "scheduling", "hand": "worker"}
    assert not any(told[name] for name in NAMES[1:])
