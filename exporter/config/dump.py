"""The configuration that is in force, as a file would say it, defaults included.

It holds no secret: of a password it knows the file's name.
"""

import enum

import msgspec
import yaml

from exporter.config import durations
from exporter.config.schema import Config, key_specs


def to_yaml(config: Config) -> str:
    """Return the YAML that reads as `config`."""
    return yaml.safe_dump(_plain(config), sort_keys=False, allow_unicode=True)


def _plain(value: object) -> object:
    match value:
        case None | bool() | int():
            return value
        case float():  # every float of the schema is a duration
            return durations.format_duration(value)
        case enum.Enum():
            return value.value
        case tuple():
            return [_plain(item) for item in value]
        case msgspec.Struct() if _is_section(value):
            return {key.name: _plain(getattr(value, key.field)) for key in key_specs(type(value))}
        case _:
            return str(value)


def _is_section(value: msgspec.Struct) -> bool:
    return value.__struct_config__.forbid_unknown_fields
