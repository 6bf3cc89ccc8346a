import msgspec
import pytest

from exporter.config import ClientsConfig, Config, DaemonConfig, EventsConfig
from exporter.config.keys import key_specs
from exporter.management.endpoint import TcpEndpoint

SECTIONS = [Config, DaemonConfig, ClientsConfig, EventsConfig]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_has_a_description_of_one_line(section: type[msgspec.Struct]) -> None:
    for key in key_specs(section):
        assert key.spec.description.endswith(".")
        assert key.spec.description.isprintable()


def test_configuration_is_immutable() -> None:
    daemon = DaemonConfig(name="office", management=TcpEndpoint("127.0.0.1", 7505))
    config = Config(daemons=(daemon,))
    for section in (config, daemon, config.clients):
        with pytest.raises(AttributeError):
            setattr(section, section.__struct_fields__[0], None)
    assert hash(config) == hash(Config(daemons=(daemon,)))
