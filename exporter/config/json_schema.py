"""The schema as JSON Schema, by which editors complete and check a configuration.

    python -m exporter.config.json_schema > config.schema.json

It knows the shape of each value; bounds of durations, names given twice and password files are for
the program itself to check.
"""

import json
import sys

import msgspec

from exporter.config.docs import format_value
from exporter.config.durations import PATTERN as DURATION
from exporter.config.schema import Config, Key, key_specs
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

_DIALECT = "http://json-schema.org/draft-07/schema#"  # what editors know best

_ADDRESS = r"^(unix:/.+|(listen:)?(\[[0-9a-fA-F:.]+\]|[^\[\]:/\s]+):[0-9]{1,5})$"
_NO_BLANK_AT_THE_ENDS = r"^\S(.*\S)?$"

_SOURCE: Json = {"anyOf": [{"required": ["management"]}, {"required": ["status_file"]}]}
"""What an entry must have, unless its daemon is discovered."""

_UNLESS_DISCOVERED: Json = {
    "if": {"required": ["discover"], "properties": {"discover": {"minItems": 1}}},
    "else": {
        "required": ["daemons"],
        "properties": {"daemons": {"minItems": 1, "items": _SOURCE}},
    },
}


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


def _property(key: Key) -> Json:
    value = _value(key.setting.form) | {"description": key.setting.meaning}
    if key.required:
        return value
    if isinstance(key.setting.form, Section) or key.default is None:
        # Such a key may stand there with nothing behind it.
        return value | {"type": [value["type"], "null"]}
    return value | {"default": _default(key.default)}


def _value(form: ValueType | ListOf | MapOf | Section | ListOfSections) -> Json:
    match form:
        case Section(kind):
            return _section(kind)
        case ListOfSections(kind):
            return {"type": "array", "items": _section(kind)}
        case MapOf(_, value):
            return {"type": "object", "additionalProperties": _value(value)}
        case ListOf(item):
            return {"type": "array", "uniqueItems": True, "items": _value(item)}
        case _:
            return _scalar(form)


def _scalar(form: ValueType) -> Json:
    match form:
        case Boolean():
            return {"type": "boolean"}
        case Integer(maximum):
            return {"type": "integer", "minimum": 1, "maximum": maximum}
        case Choice(members):
            return {"type": "string", "enum": [member.value for member in members]}
        case _:
            return {"type": "string", **_text(form)}


def _text(form: ValueType) -> Json:
    """Return what is required of a text."""
    match form:
        case Label(limit):
            return {"maxLength": limit, "pattern": _NO_BLANK_AT_THE_ENDS}
        case Duration():
            return {"pattern": f"^(?=.){DURATION}$"}
        case ManagementAddress():
            return {"pattern": _ADDRESS}
        case _:
            return {"minLength": 1}


def _default(value: object) -> object:
    return list(map(_default, value)) if isinstance(value, tuple) else _plain(value)


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int) else format_value(value)


if __name__ == "__main__":
    sys.stdout.write(render())
