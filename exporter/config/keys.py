"""The keys of a section: the `Annotated` fields of a msgspec type."""

import typing

import msgspec

from exporter.config.types import ListOf, ListOfSections, MapOf, Section, ValueType

NodeType = ValueType | ListOf | MapOf | Section | ListOfSections


class KeySpec(msgspec.Struct, frozen=True):
    """The `Annotated` part of a key: its type in the file, and its description in one line.

    `unique`: no two sections of one list may share a value. `alternative`: the key that may be set
    instead of this one; one of the two is required.
    """

    type: NodeType
    description: str
    unique: bool = False
    alternative: str = ""


class Key(msgspec.Struct, frozen=True):
    """One key of a section; `default` is `msgspec.NODEFAULT` if a value is required.

    `name` is the key in the file, `field` the field of the section's type.
    """

    name: str
    spec: KeySpec
    default: object
    field: str

    @property
    def required(self) -> bool:
        """Whether the file must set it."""
        return self.default is msgspec.NODEFAULT


class Unresolved(msgspec.Struct, frozen=True):
    """In place of a discovered value that is unusable: the file must set it; `reason` says why.

    Without `is_error` the section has no value, because a file can't be read now.
    """

    reason: str
    is_error: bool = True


def key_specs(section: type[msgspec.Struct]) -> tuple[Key, ...]:
    """Return the keys of a section type, in order; a field without a `KeySpec` is not a key."""
    return tuple(
        Key(field.encode_name, spec, field.default, field.name)
        for field in msgspec.structs.fields(section)
        for spec in typing.get_args(field.type)
        if isinstance(spec, KeySpec)
    )
