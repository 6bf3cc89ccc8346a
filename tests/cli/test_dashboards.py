import json
from pathlib import Path

import pytest
import yaml

from exporter import dashboards
from exporter.cli.kubernetes import config_map
from exporter.cli.main import main
from exporter.cli.subcommand import Exit

NAMES = ["client", "exporter", "fleet", "server", "tunnel", "usage"]


def test_lists_each_dashboard_on_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboards"]) == Exit.DONE
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == NAMES
    assert all("OpenVPN / " in line for line in lines)


@pytest.mark.parametrize("name", [*NAMES, "openvpn-fleet"])
def test_prints_the_file_of_one_dashboard(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboards", name]) == Exit.DONE
    file = f"openvpn-{name.removeprefix('openvpn-')}.json"
    assert capsys.readouterr().out == dashboards.texts()[file]


def test_writes_all_files_into_a_directory_and_replaces_older_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "grafana" / "dashboards"
    for _ in range(2):
        assert main(["dashboards", "--output", str(directory)]) == Exit.DONE
        written = {path.name: path.read_text(encoding="utf-8") for path in directory.iterdir()}
        assert written == dashboards.texts()
        (directory / "openvpn-fleet.json").write_text("older", encoding="utf-8")
    assert capsys.readouterr().out == ""


def test_writes_only_the_named_dashboard(tmp_path: Path) -> None:
    assert main(["dashboards", "tunnel", "--output", str(tmp_path)]) == Exit.DONE
    assert [path.name for path in tmp_path.iterdir()] == ["openvpn-tunnel.json"]


@pytest.mark.parametrize("arguments", [(), ("fleet",)])
def test_config_maps_contain_the_files(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboards", *arguments, "--format", "configmap"]) == Exit.DONE
    objects = list(yaml.safe_load_all(capsys.readouterr().out))
    data = {file: text for one in objects for file, text in one["data"].items()}
    expected = dashboards.texts()
    assert data == (
        {name: expected[name] for name in ["openvpn-fleet.json"]} if arguments else expected
    )
    for one in objects:
        assert (one["apiVersion"], one["kind"]) == ("v1", "ConfigMap")
        assert one["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert f"{one['metadata']['name']}.json" in one["data"]


def test_config_map_fits_into_the_annotation_of_kubectl_apply() -> None:
    """`kubectl apply` without `--server-side` copies an object into an annotation."""
    limit = 262_144
    for file, text in dashboards.texts().items():
        assert len(json.dumps(config_map(file, text))) < limit


def test_writes_config_maps_as_yaml(tmp_path: Path) -> None:
    arguments = ["dashboards", "fleet", "--format", "configmap", "--output", str(tmp_path)]
    assert main(arguments) == Exit.DONE
    assert [path.name for path in tmp_path.iterdir()] == ["openvpn-fleet.yaml"]


def test_unknown_name_is_an_error_with_the_known_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dashboards", "flet"])
    assert ended.value.code == Exit.USAGE
    assert f"'flet' is no dashboard: use one of {', '.join(NAMES)}" in capsys.readouterr().err


def test_unwritable_directory_exits_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert main(["dashboards", "--output", str(file)]) == Exit.FAILED
    assert f"cannot create {file}: File exists" in capsys.readouterr().err


def test_upload_is_no_config_map(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dashboards", "fleet", "--grafana-com", "--format", "configmap"])
    assert ended.value.code == Exit.USAGE
    assert "--grafana-com is for an upload" in capsys.readouterr().err


def test_prints_a_dashboard_for_grafana_com(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboards", "fleet", "--grafana-com"]) == Exit.DONE
    (data_source,) = json.loads(capsys.readouterr().out)["__inputs"]
    assert data_source["pluginId"] == "prometheus"
