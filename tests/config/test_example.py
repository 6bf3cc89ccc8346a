import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import yaml

from exporter.config import ClientsConfig, Config, DaemonConfig, EventsConfig
from exporter.config.docs import format_value
from exporter.config.keys import key_specs
from exporter.config.loader import load
from exporter.config.share import ShareConfig

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
UNCOMMENTED = re.sub(r"^( *)#(?=[a-z_]+:)", r"\1", TEXT, flags=re.MULTILINE)

NESTED = {"daemons", "clients", "events"}


def sections(text: str) -> list[tuple[type[msgspec.Struct], dict[str, str]]]:
    """Return the keys of each section with their values as written."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert root is not None
    nodes = dict(entries(root))
    return [
        (Config, as_written(root)),
        (DaemonConfig, as_written(nodes["daemons"].value[0])),
        (ClientsConfig, as_written(nodes["clients"])),
        (EventsConfig, as_written(nodes["events"])),
    ]


def entries(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    for key, value in node.value:
        yield key.value, value


def as_written(section: yaml.Node) -> dict[str, str]:
    return {
        key: value.value if isinstance(value, yaml.ScalarNode) else str(value.value)
        for key, value in entries(section)
    }


def test_example_loads_unchanged_and_has_only_defaults() -> None:
    config = load(EXAMPLE)
    (daemon,) = config.daemons
    plain = DaemonConfig(name=daemon.name, management=daemon.management)
    assert config == Config(daemons=(plain,))


def test_example_loads_with_every_optional_line(tmp_path: Path) -> None:
    (tmp_path / "office.password").write_text("secret\n")
    (tmp_path / "share.password").write_text("secret\n")
    (tmp_path / "privacy.key").write_text("0123456789abcdef\n")
    path = tmp_path / "config.yaml"
    path.write_text(UNCOMMENTED, encoding="utf-8")
    (daemon,) = load(path).daemons
    assert None not in [getattr(daemon, key.name) for key in key_specs(DaemonConfig)]


@pytest.mark.parametrize(("section", "values"), sections(UNCOMMENTED))
def test_example_has_every_key_in_the_order_of_the_schema(
    section: type[msgspec.Struct], values: dict[str, str]
) -> None:
    assert list(values) == [key.name for key in key_specs(section)]


def test_example_has_every_key_of_a_share_with_its_default() -> None:
    root = yaml.compose(UNCOMMENTED, Loader=yaml.SafeLoader)
    assert root is not None
    daemon = dict(entries(dict(entries(root))["daemons"].value[0]))
    values = yaml.safe_load(yaml.serialize(daemon["share"]))
    assert list(values) == [key.name for key in key_specs(ShareConfig)]
    defaults = {
        key.name: format_value(key.default)
        for key in key_specs(ShareConfig)
        if not key.required and key.default is not None
    }
    written = {
        key: format_value(tuple(value) if isinstance(value, list) else value)
        for key, value in values.items()
    }
    assert written | defaults == written


@pytest.mark.parametrize(("section", "values"), sections(TEXT))
def test_defaults_are_written_as_in_the_documentation(
    section: type[msgspec.Struct], values: dict[str, str]
) -> None:
    defaults = {
        key.name: format_value(key.default)
        for key in key_specs(section)
        if not key.required and key.default is not None and key.name not in NESTED
    }
    assert values | defaults == values


def test_only_keys_without_a_default_are_commented_out() -> None:
    commented = {
        key
        for (_, in_use), (_, all_keys) in zip(sections(TEXT), sections(UNCOMMENTED), strict=True)
        for key in all_keys.keys() - in_use.keys()
    }
    sections_with_such = (DaemonConfig, ClientsConfig)
    assert commented == {
        key.name
        for section in sections_with_such
        for key in key_specs(section)
        if key.default is None and not key.spec.alternative
    }


def test_every_key_has_a_comment_above_it() -> None:
    lines = TEXT.splitlines()
    for above, line in itertools.pairwise(lines):
        if re.match(r" *(- )?#?[a-z_]+:", line):
            assert re.match(r" *# ", above), line
