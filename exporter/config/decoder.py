"""YAML nodes as the schema's types, with all problems and not only the first.

Knows how sections, lists and values nest. The meaning of a key is in `schema`, the syntax of a
value in `types`.
"""

import contextlib
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
import yaml

from exporter.config.errors import ConfigError, Problem
from exporter.config.keys import Key, NodeType, Unresolved, key_specs
from exporter.config.types import (
    ClientName,
    ListOf,
    ListOfSections,
    MapOf,
    PemText,
    Scalar,
    Section,
    ValueType,
)

MAX_VALUES = 200_000
"""Most keys and items of a file; only aliases make more of a file of one mebibyte."""

MAX_LENGTH = 1000
"""Longest value, in characters, apart from PEM text."""

MAX_PEM_LENGTH = 200_000
"""Longest PEM text, in characters; room for a bundle of certificates."""

_TAG = "tag:yaml.org,2002:"
_MAX_KEY_LENGTH = 60

S = TypeVar("S", bound=msgspec.Struct)


class InvalidNode(Exception):
    """A node could not be read; the reason is among the problems."""


DiscoveredValues = Callable[[type[msgspec.Struct], str], Mapping[str, object]]
"""Returns the discovered values of a section, by its type and `name`, for keys not in the file."""


def _nothing_discovered(_kind: type[msgspec.Struct], _name: str) -> Mapping[str, object]:
    return {}


class Decoder:
    """Reads the nodes of one document; `problems` grows as it reads.

    `lines` has the line of each key in the file, by its path: `daemons[1].timeout`.
    """

    def __init__(
        self,
        *,
        source: str,
        directory: Path,
        discovered: DiscoveredValues = _nothing_discovered,
        hide_clients: bool = False,
    ) -> None:
        """Report problems of `source`; relative paths start at `directory`.

        With `hide_clients` no problem quotes the name of a VPN client.
        """
        self.problems: list[Problem] = []
        self.lines: dict[str, int] = {}
        self._discovered = discovered
        self._hide_clients = hide_clients
        self._source = source
        self._directory = directory
        self._budget = MAX_VALUES
        self._seen: dict[tuple[str, object], str] = {}

    def decode_section(self, node: yaml.Node, path: str, kind: type[S]) -> S:
        """Return the section of type `kind` at `node`.

        Raises:
            InvalidNode: all of it was read and had a problem.
            ConfigError: it has too many values.
        """
        problems_before = len(self.problems)
        entries = self._entries(node, path, kind)
        self.lines[path] = _line(node)
        values = dict(self._discovered(kind, _text(entries.get("name"))))
        for key in key_specs(kind):
            if key.name not in entries and key.name in values:
                self._apply_discovered(
                    key, path, node=node, value=values[key.name], explicit_keys=entries
                )
                continue
            with contextlib.suppress(InvalidNode):
                alternative = key.spec.alternative
                if alternative and not {key.name, alternative} & entries.keys():
                    text = f"is missing: add it, or {alternative}"
                    raise self._invalid(node, _join(path, key.name), text)
                values |= self._decode_entry(key, path, node=entries.get(key.name), section=node)
        self._raise_if_new_problems(problems_before)
        return kind(
            **{name: value for name, value in values.items() if not isinstance(value, Unresolved)}
        )

    def _apply_discovered(
        self, key: Key, path: str, *, node: yaml.Node, value: object, explicit_keys: Container[str]
    ) -> None:
        key_path = _join(path, key.name)
        if isinstance(value, Unresolved):
            if key.spec.alternative in explicit_keys or not value.is_error:
                return
            self._report(node, key_path, f"must be set here: {value.reason}")
        elif key.spec.unique:
            self._check_unique(node, key_path, value, shown=str(value))

    def decode_key(self, node: yaml.Node, kind: type[S], name: str) -> object:
        """Return the value of one key of the section at `node`; InvalidNode if it has none."""
        entry = self._entries(node, "", kind).get(name)
        if entry is None:
            raise InvalidNode
        (key,) = (key for key in key_specs(kind) if key.name == name)
        return self._decode_entry(key, "", node=entry, section=node)[name]

    def locate(self, problem: Problem) -> Problem:
        """Return the problem of a key with the file and its line, or that of its section."""
        key = problem.key
        while key not in self.lines and key:
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        line = self.lines.get(key)
        return msgspec.structs.replace(problem, source=self._source, line=line)

    def _entries(self, node: yaml.Node, path: str, kind: type[S]) -> dict[str, yaml.Node]:
        known = [key.name for key in key_specs(kind)]
        if not isinstance(node, yaml.MappingNode):
            raise self._invalid(node, path, f"must be a section with keys: {', '.join(known)}")
        self._charge(node)
        entries: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            name = _text(key_node)
            if name not in known:
                import difflib  # noqa: PLC0415 -- only for errors

                matches = difflib.get_close_matches(name, known, n=1)
                # A name without its dash may stand where a key is expected.
                shown = "***" if self._hide_clients and not matches else _printable(name)
                self._report(key_node, _join(path, shown), _unknown_key(matches, known))
            elif name in entries:
                self._report(key_node, _join(path, name), "is set twice: keep one")
            else:
                entries[name] = value
        return entries

    def _decode_entry(
        self, key: Key, path: str, *, node: yaml.Node | None, section: yaml.Node
    ) -> dict[str, object]:
        """Return the key's value under its name; nothing if the default applies."""
        key_path = _join(path, key.name)
        if node is None:
            if key.required:
                raise self._invalid(section, key_path, "is missing: add it")
            return {}
        if node.tag == f"{_TAG}null":
            if key.default is None or isinstance(key.spec.type, Section):
                return {}
            alternative = "" if key.required else ", or remove the key"
            raise self._invalid(node, key_path, f"has no value: set one{alternative}")
        self.lines[key_path] = _line(node)
        value = self._decode(node, key_path, key.spec.type)
        if key.spec.unique:
            self._check_unique(node, key_path, value, shown=str(value))
        return {key.field: value}

    def _decode(self, node: yaml.Node, path: str, node_type: NodeType) -> object:
        match node_type:
            case Section(kind, single=single):
                return self._decode_item(node, path, kind=kind, single=single)
            case ListOfSections(kind, single=single):
                return self._decode_list(
                    node,
                    path,
                    lambda item, at: self._decode_item(item, at, kind=kind, single=single),
                )
            case MapOf():
                return self._decode_map(node, path, node_type)
            case ListOf(item_type):
                return self._decode_list(
                    node,
                    path,
                    lambda item, at: self._unique_item(item, at, item_type),
                )
            case _:
                return self._decode_scalar(node, path, node_type)

    def _decode_list(
        self, node: yaml.Node, path: str, decode: Callable[[yaml.Node, str], object]
    ) -> tuple[object, ...]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._invalid(node, path, "must be a list: one item a line, each after a -")
        self._charge(node)
        problems_before = len(self.problems)
        items = []
        for index, item in enumerate(node.value):
            with contextlib.suppress(InvalidNode):
                items.append(decode(item, f"{path}[{index}]"))
        self._raise_if_new_problems(problems_before)
        return tuple(items)

    def _decode_item(self, node: yaml.Node, path: str, *, kind: type[S], single: str) -> S:
        """Return a section, in whose place the value of a single key may stand."""
        if not single or not isinstance(node, yaml.ScalarNode):
            return self.decode_section(node, path, kind)
        (key,) = (key for key in key_specs(kind) if key.name == single)
        value = self._decode(node, path, key.spec.type)
        self.lines[path] = _line(node)
        if key.spec.unique:
            self._check_unique(node, _join(path, single), value, shown=str(value))
        return kind(**{key.field: value})

    def _decode_map(self, node: yaml.Node, path: str, map_type: MapOf) -> dict[str, object]:
        if not isinstance(node, yaml.MappingNode):
            text = f"must be a mapping: one entry a line, {map_type.hint}"
            raise self._invalid(node, path, text)
        self._charge(node)
        problems_before = len(self.problems)
        values: dict[str, object] = {}
        for key_node, value in node.value:
            key_path = _join(path, _printable(_text(key_node)))
            with contextlib.suppress(InvalidNode):
                name = str(self._decode_scalar(key_node, key_path, map_type.name))
                if name in values:
                    raise self._invalid(key_node, key_path, "is set twice: keep one")
                self.lines[key_path] = _line(value)
                values[name] = self._decode_scalar(value, key_path, map_type.value)
        self._raise_if_new_problems(problems_before)
        return values

    def _unique_item(self, node: yaml.Node, path: str, item_type: ValueType) -> object:
        value = self._decode_scalar(node, path, item_type)
        hidden = self._hide_clients and isinstance(item_type, ClientName)
        self._check_unique(node, path, value, shown="the name" if hidden else str(value))
        return value

    def _decode_scalar(self, node: yaml.Node, path: str, value_type: ValueType) -> object:
        if not isinstance(node, yaml.ScalarNode):
            raise self._invalid(node, path, f"must be a single value: {value_type.hint}")
        limit = MAX_PEM_LENGTH if isinstance(value_type, PemText) else MAX_LENGTH
        if len(node.value) > limit:
            raise self._invalid(node, path, f"has more than {limit} characters: shorten it")
        scalar = Scalar(node.value, node.tag.removeprefix(_TAG), self._directory)
        try:
            return value_type.read(scalar)
        except ValueError as error:
            text = str(error)
            if self._hide_clients and isinstance(value_type, ClientName):
                text = value_type.redacted_error(scalar)
            raise self._invalid(node, path, text) from None

    def _check_unique(self, node: yaml.Node, path: str, value: object, *, shown: str) -> None:
        """Report a value, as `shown`, that another item of the same list has."""
        list_path, _, item_path = path.rpartition("[")
        scope = f"{list_path}[{item_path.partition(']')[2]}"
        first = self._seen.setdefault((scope, value), path)
        if first != path:
            self._report(node, path, f"{shown} is already used at {first}: use another")

    def _charge(self, node: yaml.CollectionNode) -> None:
        self._budget -= len(node.value)
        if self._budget < 0:
            text = f"more than {MAX_VALUES} values: aliases count each time, use fewer"
            raise ConfigError((self._problem(node, "", text),))

    def _raise_if_new_problems(self, problems_before: int) -> None:
        if len(self.problems) > problems_before:
            raise InvalidNode

    def _invalid(self, node: yaml.Node, path: str, text: str) -> InvalidNode:
        self._report(node, path, text)
        return InvalidNode()

    def _report(self, node: yaml.Node, path: str, text: str) -> None:
        self.problems.append(self._problem(node, path, text))

    def _problem(self, node: yaml.Node, path: str, text: str) -> Problem:
        return Problem(source=self._source, line=_line(node), key=path, text=text)


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _text(key: yaml.Node | None) -> str:
    return key.value if isinstance(key, yaml.ScalarNode) else ""


def _unknown_key(matches: list[str], known: list[str]) -> str:
    hint = f"did you mean {matches[0]}?" if matches else f"use one of {', '.join(known)}"
    return f"is an unknown key: {hint}"


def _printable(name: str) -> str:
    short = name.isidentifier() and len(name) <= _MAX_KEY_LENGTH
    return name if short else repr(name[:_MAX_KEY_LENGTH])


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
