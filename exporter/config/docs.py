"""The reference of the configuration, written from the schema.

python -m exporter.config.docs > docs/configuration.md
"""

import sys

import msgspec

from exporter.config import durations
from exporter.config.schema import ClientsConfig, Config, DaemonConfig, EventsConfig, Key, key_specs
from exporter.config.types import ListOfSections, Section

_INTRODUCTION = """\
<!-- Written by `python -m exporter.config.docs`; change exporter/config/schema.py. -->

# Configuration

The exporter reads one YAML file, named by `--config.file`, and the files of OpenVPN that this one
names under `discover`.
[config.example.yaml](../config.example.yaml) shows every key with its default.

- A mistake never passes silently. Unknown keys, keys given twice, wrong values, two daemons with
  one name, address or status file, and a password file that cannot be read are refused, all at
  once, each as `file:line: key: what is wrong and how to mend it`.
- Durations have units, as in Prometheus: `500ms`, `15s`, `1h30m`. A bare number is refused.
- YAML reads an unquoted `on`, `no` or `123` as something else than text: quote such names.
- Anchors and aliases work; merge keys (`<<`) do not.
- The file holds no secret: a management password stands in a file of its own, on one line, of which
  nothing but the line end is trimmed.
"""

_SECTIONS: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("Top level", Config),
    ("Each of `daemons`", DaemonConfig),
    ("`clients`", ClientsConfig),
    ("`events`", EventsConfig),
)


def render() -> str:
    """Return the whole page as Markdown."""
    return "\n".join([_INTRODUCTION, *(_section(title, kind) for title, kind in _SECTIONS)])


def _section(title: str, kind: type[msgspec.Struct]) -> str:
    head = f"## {title}\n\n| key | type | default | meaning |\n|---|---|---|---|\n"
    return head + "".join(f"{_row(key)}\n" for key in key_specs(kind))


def _row(key: Key) -> str:
    cells = (f"`{key.name}`", key.setting.form.hint, _default(key), key.setting.meaning)
    return f"| {' | '.join(cells)} |"


def _default(key: Key) -> str:
    if key.required:
        return "required"
    if key.setting.unless:
        return f"required, or `{key.setting.unless}`"
    if isinstance(key.setting.form, Section | ListOfSections):
        return "see below"
    return "none" if key.default is None else f"`{format_value(key.default)}`"


def format_value(value: object) -> str:
    """Return how a value of the schema is written in the file; every float is a duration."""
    match value:
        case bool():
            return str(value).lower()
        case float():
            return durations.format_duration(value)
        case tuple():
            return f"[{', '.join(map(format_value, value))}]"
        case _:
            return str(value)


if __name__ == "__main__":
    sys.stdout.write(render())
