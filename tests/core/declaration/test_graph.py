"""Graphs: what comes before what, in the declaration and in a run that has found out how many steps it has."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.declaration import Graph, Kind, Retry, Step

ITEMS = st.integers(0, 99_999) | st.sampled_from(["2026-01-03", "north", "a_b"])
Run = tuple[Graph, dict[str, list[str]]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph of up to eight steps: `s0`, `s1`, ... of which one may be the beginning of another's name."""
    steps: list[Step] = []
    for number in range(draw(st.integers(1, 8))):
        before = [one.name for one in steps]
        upstream = tuple(draw(st.lists(st.sampled_from(before), unique=True, max_size=3))) if before else ()
        kinds = [kind for kind in Kind if kind is not Kind.BRANCH and (upstream or kind is not Kind.MAP)]
        kind = draw(st.sampled_from(kinds))
        over = draw(st.sampled_from(upstream)) if kind is Kind.MAP else ""
        beginning = draw(st.sampled_from(["", *(f"{name}_" for name in before)]))
        steps.append(Step(f"{beginning}s{number}", upstream, kind, over))
    return Graph(tuple(steps))


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """A graph, and step -> the names of its instances in one run, of each that has many."""
    graph = draw(graphs())
    items = {one.name: draw(st.lists(st.integers(0, 999), unique=True, max_size=4)) for one in graph if one.many}
    return graph, {name: [graph.step(name).instance(item).name for item in of] for name, of in items.items()}


def before(graph: Graph) -> dict[str, set[str]]:
    """Step -> all that come before it."""
    found: dict[str, set[str]] = {}
    for one in graph:
        found[one.name] = set(one.upstream).union(*(found[name] for name in one.upstream))
    return found


@given(graphs(), ITEMS)
def test_steps_and_instances_are_known_by_their_names(graph: Graph, item: int | str) -> None:
    for one in graph:
        assert graph.step(one.name) is graph.declared(one.name) is one
        if one.many:
            instance = one.instance(item)
            assert (instance.item, instance.function, instance.many) == (item, one.function, False)
            assert instance.upstream == one.upstream
            assert graph.declared(one.instance(7).name) is one
            assert graph.may_run(instance.name)
        assert graph.may_run(one.name) is not one.many
    assert graph.declared("t") is graph.declared("") is None
    with pytest.raises(KeyError, match="no step 't'; there are "):
        graph.step("t")


@given(runs(), st.randoms(use_true_random=False))
def test_a_run_has_each_instance_in_the_place_of_its_step(run: Run, random: Random) -> None:
    graph, instances = run
    expected = [name for one in graph for name in instances.get(one.name, [one.name])]
    met = [*expected, *expected, "unheard of"]
    random.shuffle(met)
    unrolled = graph.unrolled(met)
    assert {one.name for one in unrolled} == set(expected)
    assert len(unrolled.steps) == len(expected)
    assert not any(one.many for one in unrolled)
    seen: set[str] = set()
    for one in unrolled:
        assert set(one.upstream) <= seen
        assert one.function == graph.declared(one.name).function
        seen.add(one.name)
    assert unrolled.unrolled(met) == unrolled


@given(runs())
def test_what_comes_before_in_the_declaration_comes_before_in_a_run(run: Run) -> None:
    """Also where there turn out to be no instances of what lies between."""
    graph, instances = run
    single = {one.name for one in graph if not one.many}
    of_run = before(graph.unrolled([*single, *(name for names in instances.values() for name in names)]))
    for name, earlier in before(graph).items():
        for later in [name] if name in single else instances[name]:
            assert of_run[later] >= earlier & single
            assert of_run[later] >= {each for many in earlier - single for each in instances[many]}


@given(graphs())
def test_a_step_is_given_what_was_made_before_it_and_not_what_it_is_mapped_over(graph: Graph) -> None:
    for one in graph:
        expected = [] if one.kind is Kind.ALWAYS else [name for name in one.upstream if name != one.over]
        assert list(graph.inputs(one)) == expected


def test_an_arm_knows_its_branch_and_is_not_given_the_choice() -> None:
    graph = Graph(
        (
            Step("look"),
            Step("choose", ("look",), Kind.BRANCH, arms=("left", "right")),
            Step("left", ("look", "choose")),
            Step("right", ("choose",)),
            Step("both", ("left", "right"), Kind.JOIN),
        )
    )
    assert {one.name: getattr(graph.branch_of(one), "name", None) for one in graph} == {
        "look": None, "choose": None, "left": "choose", "right": "choose", "both": None,
    }  # fmt: skip
    assert {one.name: graph.inputs(one) for one in graph} == {
        "look": (), "choose": ("look",), "left": ("look",), "right": (), "both": ("left", "right"),
    }  # fmt: skip


def test_an_instance_is_spelt_as_its_step_says() -> None:
    step = Step("bake", ("mix",), Kind.MAP, over="mix", call="heat", spelling="{:03d}", retry=Retry(5, 0.5))
    assert step.instance(7) == Step("bake_007", ("mix",), call="heat", item=7, spelling="{:03d}", retry=Retry(5, 0.5))


def test_the_longest_name_tells_whose_instance_it_is() -> None:
    graph = Graph((Step("day", kind=Kind.PARTITION), Step("day_part", ("day",), Kind.PARTITION), Step("day_end")))
    names = ["day_1", "day_part_1", "day_part", "day_end", "days"]
    assert [getattr(graph.declared(name), "name", None) for name in names] == [
        "day", "day_part", "day_part", "day_end", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("spelling", "name", "spelt"),
    [
        ("{:04d}", "work_0001", True), ("{:04d}", "work_12345", True), ("{:04d}", "work_1", False),
        ("{:04d}", "work_x", False), ("{:04d}", "work_0001 ", False), ("{:04d}", "work", False),
        ("{}", "work_1", True), ("{}", "work_007", True), ("{}", "work_2026-01-03", True), ("{}", "work_", False),
        ("{}", "other_1", False),
    ],
)  # fmt: skip
def test_an_instance_is_known_by_how_it_is_spelt(spelling: str, name: str, *, spelt: bool) -> None:
    assert Step("work", kind=Kind.PARTITION, spelling=spelling).spells(name) is spelt
    assert Graph((Step("work", kind=Kind.PARTITION, spelling=spelling),)).may_run(name) is spelt
    assert not Step("work", spelling=spelling).spells(name)
