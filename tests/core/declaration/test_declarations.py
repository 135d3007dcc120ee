"""Every pipeline that is found declares what fits together, and what its code can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from core.declaration import Companion, Data, Graph, Kind, Part, Pipeline, offered, pipeline, pipelines
from core.declaration.discovery import names

NAMES = names()
MANY = 3


@pytest.fixture(params=NAMES)
def declared(request: pytest.FixtureRequest) -> Pipeline:
    return pipeline(request.param)


@pytest.fixture
def graph(declared: Pipeline) -> Graph:
    return declared.graph(dict.fromkeys(declared.fixed_by, MANY))


def test_those_of_the_project_are_found() -> None:
    """With those that somebody has added."""
    assert set(NAMES) >= {"chain", "daily_files", "fan_out", "model_roll_back", "training"}
    assert [one.name for one in pipelines()] == NAMES == sorted(NAMES)
    assert "training" in [one.name for one in pipelines() if one.default]
    with pytest.raises(KeyError, match=f"no pipeline 'other'; there are {', '.join(NAMES)}"):
        pipeline("other")


@pytest.mark.parametrize("name", NAMES)
def test_it_is_named_after_its_folder(name: str) -> None:
    assert pipeline(name).name == name
    written = import_module(f"core.pipelines.{name}.pipeline").PIPELINE
    assert replace(pipeline(name), companions={}) == written
    assert pipeline(name).title


def test_its_graph_is_in_order_and_its_kinds_are_complete(graph: Graph) -> None:
    seen: set[str] = set()
    for step in graph:
        assert step.name not in seen
        assert set(step.upstream) <= seen
        assert (step.kind is Kind.MAP) == bool(step.over)
        assert not step.over or step.over in step.upstream
        assert (step.kind is Kind.BRANCH) == bool(step.arms)
        assert all(step.name in graph.step(arm).upstream for arm in step.arms)
        assert len(step.arms) == len(set(step.arms)) != 1
        seen.add(step.name)


def test_its_code_has_a_function_for_each_step(declared: Pipeline, graph: Graph) -> None:
    for step in graph:
        assert declared.work(step).__name__ == step.function


def test_parts_are_steps_of_which_a_run_is_sure_to_have_one(declared: Pipeline, graph: Graph) -> None:
    for part, name in declared.parts.items():
        step = graph.declared(name)
        assert step is not None
        assert declared.part(part) == name
        assert (step.kind is Kind.MAP) == (step.kind is not Kind.PARTITION and name != step.name)
    for part in set(Part) - set(declared.parts):
        with pytest.raises(KeyError, match=f"{declared.name} declares no {part} step"):
            declared.part(part)


def test_parts_lie_where_scenarios_expect_them(declared: Pipeline, graph: Graph) -> None:
    of_run = graph.unrolled([*declared.parts.values(), *(step.name for step in graph)])
    waited_for = {name for step in of_run for name in step.upstream}
    if last := declared.parts.get(Part.LAST):
        assert last not in waited_for
    if effect := declared.parts.get(Part.EFFECT):
        assert effect in declared.effects
    if (early := declared.parts.get(Part.EARLY)) and len(of_run.steps) > 1:
        assert early in waited_for


def test_artifacts_are_of_steps_and_what_is_bulky_is_an_artifact(declared: Pipeline, graph: Graph) -> None:
    assert all(graph.declared(name) for name in declared.artifacts)
    assert not declared.merit or declared.merit in declared.artifacts.values()
    assert not declared.artifacts or set(declared.bulky) <= set(declared.artifacts.values())


def test_what_makes_the_effect_happen_are_settings_of_a_pipeline_that_has_one(declared: Pipeline) -> None:
    assert set(declared.with_effect) <= set(declared.settings.__struct_fields__)
    assert not declared.with_effect or Part.EFFECT in declared.parts


def test_companions_are_the_others_of_its_family_by_their_roles(declared: Pipeline) -> None:
    family = [one for one in pipelines() if declared.family and one.family == declared.family]
    others = [one for one in family if one.role and one.name != declared.name]
    assert declared.companions == {one.role: one.name for one in others}
    assert len(declared.companions) == len(others)
    assert not any(one.default for one in others)


def test_the_default_has_a_companion_of_each_kind() -> None:
    (default,) = (one for one in pipelines() if one.default)
    assert set(default.companions) == set(Companion)


def test_what_fixes_its_graph_and_what_it_grows_by_are_settings(declared: Pipeline) -> None:
    known = declared.settings.__struct_fields__
    assert set(declared.fixed_by) <= set(known)
    assert not declared.size or declared.size in known
    assert (declared.shape is None) or declared.size
    values = dict.fromkeys(declared.fixed_by, MANY)
    assert declared.offered(values) == "_".join([declared.name, *[str(MANY)] * len(values)])
    assert offered(declared.offered(values)) == (declared, values)


def test_other_settings_do_not_change_its_graph(declared: Pipeline, graph: Graph) -> None:
    others = dict.fromkeys(set(declared.settings.__struct_fields__) - set(declared.fixed_by), 9)
    assert declared.graph(others | dict.fromkeys(declared.fixed_by, MANY)) == graph


def fields(kind: type[Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """All settings by their path, also those within settings, with what they are annotated with."""
    for name, hint in get_type_hints(kind, include_extras=True).items():
        yield f"{path}{name}", hint
        inner = get_args(hint)[0] if get_origin(hint) is Annotated else hint
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            yield from fields(inner, f"{path}{name}.")


def test_its_settings_are_checked_and_each_has_a_help_text(declared: Pipeline) -> None:
    assert declared.settings.__struct_config__.forbid_unknown_fields
    helps = {
        path: [note.description for note in getattr(hint, "__metadata__", ()) if isinstance(note, msgspec.Meta)]
        for path, hint in fields(declared.settings)
    }
    assert [path for path, texts in helps.items() if not any(texts)] == []


def test_generated_data_are_settings_that_it_takes_and_say_what_they_are(declared: Pipeline, tmp_path: Path) -> None:
    source = declared.data_source()
    if source is None:
        assert not declared.default
        return
    data = source.generated(tmp_path, 7)
    assert data == source.generated(tmp_path, 7)
    assert all(path.is_file() for path in data.files)
    assert str(tmp_path) not in repr(data.about)
    for changes in ({}, source.empty(data, tmp_path), source.renamed(data, tmp_path)):
        msgspec.convert(dict(data.settings) | dict(changes), declared.settings, dec_hook=lambda kind, raw: kind(raw))


def test_nothing_stands_outside_before_its_first_run(declared: Pipeline, tmp_path: Path) -> None:
    assert declared.state(tmp_path) == ("None" if declared.outside else "")


def test_data_are_by_default_no_files() -> None:
    assert Data({}, {}).files == ()


@pytest.mark.parametrize("name", ["", "nothing", "nothing_5", "chain", "chain_x", "training_5"])
def test_a_name_that_no_pipeline_is_offered_under_is_an_error(name: str) -> None:
    with pytest.raises(KeyError, match="no pipeline is offered as"):
        offered(name)
