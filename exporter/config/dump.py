"""The active configuration as YAML, defaults included.

It holds no secret: of a password it has the file's name.
"""

import enum

import msgspec
import yaml

from exporter.config import durations
from exporter.config.keys import key_specs
from exporter.config.schema import Config


def to_yaml(config: Config) -> str:
    """Return YAML that loads as `config`."""
    return yaml.safe_dump(_to_builtins(config), sort_keys=False, allow_unicode=True)


def _to_builtins(value: object) -> object:
    match value:
        case None | bool() | int():
            return value
        case float():  # every float of the schema is a duration
            return durations.format_duration(value)
        case enum.Enum():
            return value.value
        case tuple():
            return [_to_builtins(item) for item in value]
        case msgspec.Struct() if _is_section(value):
            return {
                key.name: _to_builtins(getattr(value, key.field)) for key in key_specs(type(value))
            }
        case _:
            return str(value)


def _is_section(value: msgspec.Struct) -> bool:
    return value.__struct_config__.forbid_unknown_fields
