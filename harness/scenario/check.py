"""Validation: the scenario's own keys and every plug-in section at once, each problem at its place in the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from harness import registry
from harness.errors import Problem, ScenarioError, UsageError, did_you_mean
from harness.protocols import PluginOptions
from harness.scenario.block import Choice
from harness.scenario.messages import explained
from harness.scenario.schema import PERCENTILE, Scenario, Sla
from harness.scenario.source import Key, Node, Place
from harness.scenario.target_rules import conflicts
from harness.scenario.traffic import CANDIDATE_FORMS

KINDS: dict[Key, registry.Kind] = {
    ("data",): "datasets",
    ("ranker",): "rankers",
    ("compress",): "methods",
    ("engine",): "engines",
    ("target", "adapter"): "adapters",
}
"""The plug-in sections by their keys, and what each of them chooses from."""
FILE_KEYS = ("extends", "matrix", "vars")
"""Keys of a scenario file that are gone when it is validated."""

Model = TypeVar("Model", bound=BaseModel)


def checked(root: Node, file: str, problems: list[Problem]) -> Scenario | None:
    """The scenario, or None with everything that is wrong with it and its plug-in sections in `problems`."""
    return _Check(root, file, problems).scenario()


def options(kind: registry.Kind, choice: Choice) -> PluginOptions:
    """The validated options of a chosen plug-in; ScenarioError where there is no such plug-in or a key is wrong."""
    problems: list[Problem] = []
    place = Place(f"{kind.removesuffix('s')} {choice.kind!r}")
    found = _Check(_node(choice.model_dump(), place), place.file, problems).plugin(kind, ())
    if found is None:
        raise ScenarioError(problems)
    return found


def from_resolved(mapping: dict[str, Any]) -> Scenario:
    """The scenario of a saved run. Plug-in sections are taken as they are, so that an older run stays readable."""
    problems: list[Problem] = []
    place = Place("saved scenario")
    scenario = _Check(_node(mapping, place), place.file, problems).validated(Scenario, mapping, ())
    if scenario is None:
        raise ScenarioError(problems)
    return scenario


class _Check:
    def __init__(self, root: Node, file: str, problems: list[Problem]) -> None:
        self.root, self.file, self.problems = root, file, problems

    def scenario(self) -> Scenario | None:
        before = len(self.problems)
        value = self.root.plain()
        if isinstance(value, dict) and isinstance(value.get("sla"), dict):
            value["sla"] = self.known_objectives(value["sla"])
        scenario = self.validated(Scenario, value, ())
        for key, kind in self.choices():
            self.plugin(kind, key)
        for key, message in conflicts(scenario) if scenario is not None else ():
            self.blame(key, message)
        return scenario if len(self.problems) == before else None

    def known_objectives(self, sla: dict[str, Any]) -> dict[str, Any]:
        known = {name: value for name, value in sla.items() if name in Sla.model_fields or PERCENTILE.fullmatch(name)}
        for name in sla.keys() - known.keys():
            self.blame(("sla", name), f"unknown objective{did_you_mean(name, [*Sla.model_fields, 'pNN_ms'])}")
        return known or ({"p99_ms": 1} if sla else {})  # a misspelt objective is not a missing one too

    def choices(self) -> Iterator[tuple[Key, registry.Kind]]:
        for key, kind in KINDS.items():
            section = self.root.at(key)
            if section is not None and isinstance(section.value, list):
                yield from (((*key, i), kind) for i in range(len(section.value)))
            elif section is not None:
                yield key, kind

    def plugin(self, kind: registry.Kind, key: Key) -> PluginOptions | None:
        section = self.root.at(key)
        value = section.plain() if section is not None else None
        if isinstance(value, str):
            value, at = {"kind": value}, key
        else:
            at = (*key, "kind")
        if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
            return None  # `Scenario` has said so
        try:
            model = registry.options_model(kind, value["kind"])
        except UsageError as error:
            self.blame(at, error.what)
            return None
        return self.validated(model, {name: v for name, v in value.items() if name != "kind"}, key)

    def validated(self, model: type[Model], value: Any, key: Key) -> Model | None:
        """`value` as `model`, read as strict JSON: lists become tuples and text becomes paths, but "5" is no number.

        What a validator of mode "before" returns is held to the strict types of Python instead.
        """
        try:
            return model.model_validate_json(json.dumps(value, default=str), strict=True)
        except ValidationError as error:
            for at, message in self.faults(error, model, key):
                self.blame(at, message)
        return None

    def faults(self, error: ValidationError, model: type[BaseModel], key: Key) -> Iterator[tuple[Key, str]]:
        """Key and message of each fault; the alternatives of a union, which pydantic lists one by one, in one."""
        messages: dict[Key, list[str]] = {}
        for fault in error.errors(include_url=False):
            at, message = (*key, *(part for part in fault["loc"] if part not in CANDIDATE_FORMS)), explained(fault)
            if fault["type"] == "extra_forbidden":
                *above, unknown = fault["loc"]  # which may be called like one of the forms
                at = (*key, *(part for part in above if part not in CANDIDATE_FORMS), unknown)
                message = f"unknown key{did_you_mean(str(unknown), _keys(model, tuple(above)))}"
            elif fault["type"] != "missing":
                n_written = len(list(self.root.walk(at))) - 1
                at = at[: max(n_written, len(key))]
            elif at[-1] == "kind" and (kind := next((KINDS[k] for k in KINDS if at[: len(k)] == k), None)):
                message = f"is missing: one of {', '.join(registry.names(kind))}"
            messages.setdefault(at, []).append(message)
        return ((at, ", or ".join(dict.fromkeys(found))) for at, found in messages.items())

    def blame(self, key: Key, message: str) -> None:
        *_, node = self.root.walk(key)
        elsewhere = "" if node.place.line or node.place.file == self.file else f" (in {self.file})"
        self.problems.append(node.place.problem(f"{message}{elsewhere}", key))


def _node(value: Any, place: Place) -> Node:
    if isinstance(value, dict):
        return Node({str(key): _node(child, place) for key, child in value.items()}, place)
    return Node([_node(child, place) for child in value] if isinstance(value, list | tuple) else value, place)


def _keys(model: type[BaseModel], loc: Key) -> list[str]:
    """The keys that may stand where an unknown one does."""
    extra = FILE_KEYS if model is Scenario else ("kind",) if issubclass(model, PluginOptions) else ()
    if not loc:
        return [*model.model_fields, *extra]
    field = model.model_fields.get(str(loc[0]))
    below = _model_in(field.annotation) if field is not None else None
    return _keys(below, loc[1:]) if below is not None else _keys(model, loc[1:])


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for found in map(_model_in, get_args(annotation)) if found is not None), None)
