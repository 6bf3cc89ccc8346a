"""YAML nodes as the schema's types, with every problem and not only the first.

Knows how sections, lists and values nest; what a key means is the schema's, how a value is
written is the forms'.
"""

import contextlib
import difflib
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
import yaml

from exporter.config.errors import ConfigError, Problem
from exporter.config.schema import Key, key_specs
from exporter.config.types import ListOf, ListOfSections, MapOf, PemText, Scalar, Section, ValueType

MAX_VALUES = 200_000
"""Keys and items read at most; only aliases make more out of a file of a mebibyte."""

MAX_LENGTH = 1000
"""Longest value, in characters; none but a block needs as many."""

MAX_BLOCK_LENGTH = 200_000
"""Longest block, in characters; room for a bundle of certificates."""

_TAG = "tag:yaml.org,2002:"
_SHOWN = 60

S = TypeVar("S", bound=msgspec.Struct)


class Unresolved(msgspec.Struct, frozen=True):
    """In place of a fallback: there is none, and the file must say what to do; `reason` is why."""

    reason: str


class InvalidNode(Exception):
    """Something could not be read; why is among the problems."""


DiscoveredValues = Callable[[type[msgspec.Struct], str], Mapping[str, object]]
"""Gives the values that a section of a type has, by its `name`, where the file leaves them out."""


def _nothing_discovered(_kind: type[msgspec.Struct], _name: str) -> Mapping[str, object]:
    return {}


class Decoder:
    """Reads the nodes of one document; `problems` grows as it reads.

    `lines` says where each key that is written stands, by its path: `daemons[1].timeout`.
    """

    def __init__(
        self, *, source: str, directory: Path, discovered: DiscoveredValues = _nothing_discovered
    ) -> None:
        """Blame `source` in problems, and let relative paths start at `directory`."""
        self.problems: list[Problem] = []
        self.lines: dict[str, int] = {}
        self._discovered = discovered
        self._source = source
        self._directory = directory
        self._values_left = MAX_VALUES
        self._claims: dict[tuple[str, object], str] = {}

    def section(self, node: yaml.Node, path: str, kind: type[S]) -> S:
        """Return the section of type `kind` at `node`.

        Raises Unreadable when all of it is read and had a problem, ConfigError when there is too
        much of it.
        """
        problems_before = len(self.problems)
        entries = self._entries(node, path, kind)
        self.lines[path] = _line(node)
        values = dict(self._discovered(kind, _text(entries.get("name"))))
        for key in key_specs(kind):
            if key.name not in entries and key.name in values:
                self._fall_back(key, path, node=node, value=values[key.name], written=entries)
                continue
            with contextlib.suppress(InvalidNode):
                if key.setting.unless and not {key.name, key.setting.unless} & entries.keys():
                    text = f"is missing: add it, or {key.setting.unless}"
                    raise self._refusal(node, _join(path, key.name), text)
                values |= self._setting(key, path, node=entries.get(key.name), section=node)
        self._stop_after(problems_before)
        return kind(
            **{name: value for name, value in values.items() if not isinstance(value, Unresolved)}
        )

    def _fall_back(
        self, key: Key, path: str, *, node: yaml.Node, value: object, written: Container[str]
    ) -> None:
        place = _join(path, key.name)
        if isinstance(value, Unresolved):
            if key.setting.unless in written:
                return
            self._report(node, place, f"must be written here. {value.reason}")
        elif key.setting.unique:
            self._claim(node, place, value)

    def only(self, node: yaml.Node, kind: type[S], name: str) -> object:
        """Return the value of one key of the section at `node`; Unreadable where it has none."""
        entry = self._entries(node, "", kind).get(name)
        if entry is None:
            raise InvalidNode
        (key,) = (key for key in key_specs(kind) if key.name == name)
        return self._setting(key, "", node=entry, section=node)[name]

    def _entries(self, node: yaml.Node, path: str, kind: type[S]) -> dict[str, yaml.Node]:
        known = [key.name for key in key_specs(kind)]
        if not isinstance(node, yaml.MappingNode):
            raise self._refusal(node, path, f"write keys and values here: {', '.join(known)}")
        self._spend(node)
        entries: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            name = _text(key_node)
            if name not in known:
                self._report(key_node, _join(path, _shown(name)), _unknown(name, known))
            elif name in entries:
                self._report(key_node, _join(path, name), "stands here twice: keep one")
            else:
                entries[name] = value
        return entries

    def _setting(
        self, key: Key, path: str, *, node: yaml.Node | None, section: yaml.Node
    ) -> dict[str, object]:
        """Return the key's value under its name, or nothing where the default holds."""
        place = _join(path, key.name)
        if node is None:
            if key.required:
                raise self._refusal(section, place, "is missing: add it")
            return {}
        if node.tag == f"{_TAG}null":
            if key.default is None or isinstance(key.setting.form, Section):
                return {}
            way_out = "" if key.required else ", or remove the key"
            raise self._refusal(node, place, f"has no value: give it one{way_out}")
        self.lines[place] = _line(node)
        value = self._value(node, place, key.setting.form)
        if key.setting.unique:
            self._claim(node, place, value)
        return {key.field: value}

    def _value(
        self,
        node: yaml.Node,
        path: str,
        form: ValueType | ListOf | MapOf | Section | ListOfSections,
    ) -> object:
        match form:
            case Section(kind):
                return self.section(node, path, kind)
            case ListOfSections(kind):
                return self._items(node, path, lambda item, place: self.section(item, place, kind))
            case MapOf():
                return self._named(node, path, form)
            case ListOf(item_form):
                return self._items(
                    node, path, lambda item, place: self._distinct(item, place, item_form)
                )
            case _:
                return self._scalar(node, path, form)

    def _items(
        self, node: yaml.Node, path: str, read: Callable[[yaml.Node, str], object]
    ) -> tuple[object, ...]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._refusal(node, path, "write a list here: one item a line, each after a -")
        self._spend(node)
        problems_before = len(self.problems)
        items = []
        for index, item in enumerate(node.value):
            with contextlib.suppress(InvalidNode):
                items.append(read(item, f"{path}[{index}]"))
        self._stop_after(problems_before)
        return tuple(items)

    def _named(self, node: yaml.Node, path: str, form: MapOf) -> dict[str, object]:
        if not isinstance(node, yaml.MappingNode):
            raise self._refusal(node, path, f"write one entry a line here, {form.hint}")
        self._spend(node)
        problems_before = len(self.problems)
        values: dict[str, object] = {}
        for key_node, value in node.value:
            place = _join(path, _shown(_text(key_node)))
            with contextlib.suppress(InvalidNode):
                name = str(self._scalar(key_node, place, form.name))
                if name in values:
                    raise self._refusal(key_node, place, "stands here twice: keep one")
                self.lines[place] = _line(value)
                values[name] = self._scalar(value, place, form.value)
        self._stop_after(problems_before)
        return values

    def _distinct(self, node: yaml.Node, path: str, form: ValueType) -> object:
        value = self._scalar(node, path, form)
        self._claim(node, path, value)
        return value

    def _scalar(self, node: yaml.Node, path: str, form: ValueType) -> object:
        if not isinstance(node, yaml.ScalarNode):
            raise self._refusal(node, path, f"write one value here: {form.hint}")
        longest = MAX_BLOCK_LENGTH if isinstance(form, PemText) else MAX_LENGTH
        if len(node.value) > longest:
            raise self._refusal(node, path, f"has more than {longest} characters: shorten it")
        tag = node.tag.removeprefix(_TAG)
        try:
            return form.read(Scalar(node.value, tag, self._directory))
        except ValueError as error:
            raise self._refusal(node, path, str(error)) from None

    def _claim(self, node: yaml.Node, path: str, value: object) -> None:
        """Report a value that another item of the same list has already."""
        list_path, _, item_path = path.rpartition("[")
        scope = f"{list_path}[{item_path.partition(']')[2]}"
        first = self._claims.setdefault((scope, value), path)
        if first != path:
            self._report(node, path, f"{value} is already at {first}: no two may be the same")

    def _spend(self, node: yaml.CollectionNode) -> None:
        self._values_left -= len(node.value)
        if self._values_left < 0:
            text = f"more than {MAX_VALUES} values: aliases count each time, use fewer"
            raise ConfigError((self._problem(node, "", text),))

    def _stop_after(self, problems_before: int) -> None:
        if len(self.problems) > problems_before:
            raise InvalidNode

    def _refusal(self, node: yaml.Node, path: str, text: str) -> InvalidNode:
        self._report(node, path, text)
        return InvalidNode()

    def _report(self, node: yaml.Node, path: str, text: str) -> None:
        self.problems.append(self._problem(node, path, text))

    def locate(self, problem: Problem) -> Problem:
        """Return the problem of a key with the file and the line where the key is written."""
        line = self.lines.get(problem.key)
        return msgspec.structs.replace(problem, source=self._source, line=line)

    def _problem(self, node: yaml.Node, path: str, text: str) -> Problem:
        return Problem(source=self._source, line=_line(node), key=path, text=text)


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _text(key: yaml.Node | None) -> str:
    return key.value if isinstance(key, yaml.ScalarNode) else ""


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
    return f"is not a key here: {hint}"


def _shown(name: str) -> str:
    return name if name.isidentifier() and len(name) <= _SHOWN else repr(name[:_SHOWN])


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
