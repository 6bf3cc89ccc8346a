"""The schema as JSON Schema, with which editors complete and validate a configuration.

    python -m exporter.config.json_schema > config.schema.json

It has the type of each value; the program itself checks the bounds of durations, duplicate names
and password files.
"""

import json
import sys
from collections.abc import Mapping

import msgspec

from exporter.config.docs import format_value
from exporter.config.durations import PATTERN as DURATION
from exporter.config.keys import Key, NodeType, key_specs
from exporter.config.schema import Config
from exporter.config.types import (
    Boolean,
    Choice,
    Duration,
    Integer,
    Label,
    ListOf,
    ListOfSections,
    ManagementAddress,
    MapOf,
    Section,
    ValueType,
)

Json = dict[str, object]

_DIALECT = "http://json-schema.org/draft-07/schema#"  # the draft that editors support best

_ADDRESS = r"^((listen:)?unix:/.+|(listen:)?(\[[0-9a-fA-F:.]+\]|[^\[\]:/\s]+):[0-9]{1,5})$"
_NO_OUTER_BLANKS = r"^\S(.*\S)?$"

_SOURCE: Json = {"anyOf": [{"required": ["management"]}, {"required": ["status_file"]}]}
"""The keys that an entry needs, unless its daemon is discovered."""

_UNLESS_DISCOVERED: Json = {
    "if": {"required": ["discover"], "properties": {"discover": {"minItems": 1}}},
    "else": {
        "properties": {"daemons": {"items": _SOURCE}},
        "if": {"required": ["port_probes"], "properties": {"port_probes": {"minItems": 1}}},
        "else": {"required": ["daemons"], "properties": {"daemons": {"minItems": 1}}},
    },
}


_UNQUOTED: dict[str, bool | int] = {"true": True, "false": False, "0": 0, "1": 1}
"""Choices that YAML reads as booleans or numbers."""

_TYPES: Mapping[type, str] = {str: "string", bool: "boolean", int: "integer"}


def render() -> str:
    """Return the whole file."""
    head: Json = {"$schema": _DIALECT, "title": "OpenVPN exporter: configuration"}
    whole = head | _section(Config) | _UNLESS_DISCOVERED
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _section(kind: type[msgspec.Struct]) -> Json:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [key.name for key in key_specs(kind) if key.required],
        "properties": {key.name: _property(key) for key in key_specs(kind)},
    }


def _section_item(kind: type[msgspec.Struct], single: str) -> Json:
    section = _section(kind)
    keys = [key for key in key_specs(kind) if key.name == single]
    return {"anyOf": [*(_value(key.spec.type) for key in keys), section]} if keys else section


def _property(key: Key) -> Json:
    value = _value(key.spec.type) | {"description": key.spec.description}
    if key.required:
        return value
    if isinstance(key.spec.type, Section) or key.default is None:
        # Such a key may be set without a value.
        return _or_null(value)
    return value | {"default": _default(key.default)}


def _or_null(value: Json) -> Json:
    match value:
        case {"anyOf": list(alternatives)}:
            return value | {"anyOf": [*alternatives, {"type": "null"}]}
        case {"type": list(types)}:
            return value | {"type": [*types, "null"]}
        case _:
            return value | {"type": [value["type"], "null"]}


def _value(node_type: NodeType) -> Json:
    match node_type:
        case Section(kind, single=single):
            return _section_item(kind, single)
        case ListOfSections(kind, single=single):
            return {"type": "array", "items": _section_item(kind, single)}
        case MapOf(_, value):
            return {"type": "object", "additionalProperties": _value(value)}
        case ListOf(item):
            return {"type": "array", "uniqueItems": True, "items": _value(item)}
        case _:
            return _scalar(node_type)


def _scalar(value_type: ValueType) -> Json:
    match value_type:
        case Boolean():
            return {"type": "boolean"}
        case Integer(maximum):
            return {"type": "integer", "minimum": 1, "maximum": maximum}
        case Choice(members):
            values = [_UNQUOTED.get(member.value, member.value) for member in members]
            types = list(dict.fromkeys(["string", *(_TYPES[type(value)] for value in values)]))
            return {"type": types if len(types) > 1 else "string", "enum": values}
        case _:
            return {"type": "string", **_text(value_type)}


def _text(value_type: ValueType) -> Json:
    """Return the constraints of a text."""
    match value_type:
        case Label(limit):
            return {"maxLength": limit, "pattern": _NO_OUTER_BLANKS}
        case Duration():
            return {"minLength": 1, "pattern": f"^{DURATION}$"}
        case ManagementAddress():
            return {"pattern": _ADDRESS}
        case _:
            return {"minLength": 1}


def _default(value: object) -> object:
    return list(map(_default, value)) if isinstance(value, tuple) else _scalar_default(value)


def _scalar_default(value: object) -> object:
    return value if isinstance(value, bool | int) else format_value(value)


if __name__ == "__main__":
    sys.stdout.write(render())
