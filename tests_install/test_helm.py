"""The Helm chart: rendered with several values, validated, and read by the program."""

import base64
import re
import shutil
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter import dashboards
from exporter.alert_rules import USAGE, render
from exporter.cli import options
from exporter.cli.main import SERVE, command_parser, main
from tests.deploy.exporter_alerts import DEAD, HEALTHY, firing
from tests.deploy.manifests import mounts
from tests.deploy.pod_security import assert_has_the_user_of_the_image, assert_is_restricted
from tests.deploy.prometheus_operator import job_of_target
from tests_install.kubernetes import ROOT, Manifest, call, objects, only, run, validate

CHART = ROOT / "deploy" / "helm"
EXAMPLES = {path.stem: path for path in sorted((ROOT / "tests" / "data" / "helm").iterdir())}
MINIMAL = EXAMPLES["minimal"]

MOUNTED = Path("/etc/openvpn-exporter")


def template(values: Path, *flags: str) -> list[Manifest]:
    return objects(run("helm", "template", "vpn", CHART, "--values", values, *flags))


def refusal(*flags: str | Path) -> str:
    """Return why helm refuses to render the chart."""
    done = call("helm", "template", "vpn", CHART, *flags)
    assert done.returncode != 0
    return done.stderr


@pytest.fixture(params=EXAMPLES)
def values(request: pytest.FixtureRequest) -> Path:
    return EXAMPLES[request.param]


@pytest.fixture
def items(values: Path) -> list[Manifest]:
    return template(values)


def pod_of(items: list[Manifest]) -> Manifest:
    template: Manifest = only("Deployment", items)["spec"]["template"]
    return template


def container_of(items: list[Manifest]) -> Manifest:
    (container,) = pod_of(items)["spec"]["containers"]
    return dict(container)


def secret_files(items: list[Manifest]) -> dict[str, str]:
    data: dict[str, str] = only("Secret", items)["data"]
    return {name: base64.b64decode(text).decode() for name, text in data.items()}


def test_helm_finds_no_problem(values: Path) -> None:
    report = run("helm", "lint", "--strict", "--quiet", CHART, "--values", values)
    assert "[WARNING]" not in report


def test_kubernetes_accepts_every_object(items: list[Manifest], tmp_path: Path) -> None:
    assert {"ConfigMap", "Deployment", "Service"} <= {item["kind"] for item in items}
    validate(items, tmp_path)


def test_validation_refuses_an_unknown_key(tmp_path: Path) -> None:
    items = template(MINIMAL)
    container_of(items)["livenesProbe"] = {}
    pod_of(items)["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(AssertionError, match="livenesProbe"):
        validate(items, tmp_path)


def test_exporter_accepts_its_flags_and_its_configuration(
    items: list[Manifest], values: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parsed = command_parser(SERVE).parse_args(container_of(items)["args"])
    config = only_config_map(items)["data"]
    assert yaml.safe_load(config["config.yaml"]) == yaml.safe_load(values.read_text())["config"]
    assert parsed.config_file == MOUNTED / "config.yaml"
    if values.stem == "existing":  # its files are on the host
        return
    (tmp_path / "config.yaml").write_text(config["config.yaml"])
    (tmp_path / "secrets").mkdir()
    arguments = ["check", "--config.file", str(tmp_path / "config.yaml")]
    if parsed.web_config is not None:
        for name, text in secret_files(items).items():
            (tmp_path / "secrets" / name).write_text(text)
        web = tmp_path / parsed.web_config.relative_to(MOUNTED)
        arguments += ["--web.config.file", str(web)]
    assert main(arguments) == 0, capsys.readouterr().err


def only_config_map(items: list[Manifest]) -> Manifest:
    return only("ConfigMap", [item for item in items if "config.yaml" in item.get("data", {})])


class TestPod:
    def test_is_restricted_and_has_no_token(self, items: list[Manifest]) -> None:
        spec = pod_of(items)["spec"]
        assert_is_restricted(container_of(items), spec)
        assert spec["automountServiceAccountToken"] is False
        accounts = [item for item in items if item["kind"] == "ServiceAccount"]
        assert all(account["automountServiceAccountToken"] is False for account in accounts)
        assert spec["serviceAccountName"] in {*(a["metadata"]["name"] for a in accounts), "default"}

    def test_has_no_variables_of_services(self, items: list[Manifest]) -> None:
        assert pod_of(items)["spec"]["enableServiceLinks"] is False

    def test_has_the_user_of_the_image(self) -> None:
        assert_has_the_user_of_the_image(container_of(template(MINIMAL)))

    def test_is_never_there_twice(self, items: list[Manifest]) -> None:
        spec = only("Deployment", items)["spec"]
        assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})

    def test_mounts_its_volumes(self, items: list[Manifest]) -> None:
        volumes = {volume["name"]: volume for volume in pod_of(items)["spec"]["volumes"]}
        mounted = mounts(container_of(items))
        assert set(mounted.values()) == set(volumes)
        assert (
            volumes[mounted[str(MOUNTED / "config.yaml")]]["configMap"]["name"]
            == (only_config_map(items)["metadata"]["name"])
        )

    def test_has_the_user_of_the_cluster_or_the_given_one(self) -> None:
        pods = [template(MINIMAL, f"--set=user={user}") for user in ("null", "9177")]
        of_cluster, given = (pod_of(items)["spec"] for items in pods)
        assert "fsGroup" not in of_cluster["securityContext"]
        assert not {"runAsUser", "runAsGroup"} & set(container_of(pods[0])["securityContext"])
        assert given["securityContext"]["fsGroup"] == 9177
        assert container_of(pods[1])["securityContext"]["runAsUser"] == 9177

    def test_is_probed_by_a_connection_if_paths_need_a_password(self) -> None:
        users = "webConfig.basic_auth_users.prometheus=hash"
        for items in (template(MINIMAL, "--set", users), template(EXAMPLES["existing"])):
            container = container_of(items)
            for probe in ("livenessProbe", "startupProbe", "readinessProbe"):
                assert container[probe]["tcpSocket"] == {"port": "metrics"}
                assert "httpGet" not in container[probe]

    def test_is_asked_whether_it_is_healthy_and_ready(self) -> None:
        container = container_of(template(MINIMAL))
        port = {"port": "metrics"}
        assert container["livenessProbe"]["httpGet"] == {"path": "/-/healthy", **port}
        assert container["startupProbe"]["httpGet"] == {"path": "/-/healthy", **port}
        assert container["readinessProbe"]["httpGet"] == {"path": "/-/ready", **port}


class TestConnections:
    def test_lead_to_the_port_of_the_pod(self, items: list[Manifest]) -> None:
        (port,) = container_of(items)["ports"]
        assert f":{port['containerPort']}" == options.DEFAULT_ADDRESS
        service = only("Service", items)
        assert [each["targetPort"] for each in service["spec"]["ports"]] == [port["name"]]
        labels = pod_of(items)["metadata"]["labels"].items()
        assert service["spec"]["selector"].items() <= labels
        for policy in (item for item in items if item["kind"] == "NetworkPolicy"):
            assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels
            assert policy["spec"]["ingress"][0]["ports"][0]["port"] == port["name"]

    def test_of_prometheus_lead_to_the_port_of_the_service(self) -> None:
        items = template(EXAMPLES["complete"])
        (endpoint,) = only("ServiceMonitor", items)["spec"]["endpoints"]
        (port,) = only("Service", items)["spec"]["ports"]
        assert endpoint["port"] == port["name"]
        arguments = ["--config.file", "x"]
        assert endpoint["path"] == command_parser(SERVE).parse_args(arguments).telemetry_path


def rules_of(items: list[Manifest]) -> dict[str, Manifest]:
    """Return the content of each PrometheusRule, by its name without that of the release."""
    rules = [item for item in items if item["kind"] == "PrometheusRule"]
    name = only_config_map(items)["metadata"]["name"]
    return {rule["metadata"]["name"].removeprefix(name): rule["spec"] for rule in rules}


class TestRules:
    @pytest.mark.parametrize("name", ["complete", "existing"])
    def test_see_a_dead_exporter_and_no_other(self, name: str, tmp_path: Path) -> None:
        items = template(EXAMPLES[name], "--set", "prometheusRule.enabled=true")
        job = job_of_target(only("ServiceMonitor", items), only("Service", items))
        assert job is not None
        rules = tmp_path / "rules.yml"
        rules.write_text(yaml.safe_dump(rules_of(items)[""]))
        assert firing(tmp_path, job, HEALTHY, rules) == set()
        assert firing(tmp_path, job, DEAD, rules) == {"OpenVPNExporterDown"}

    def test_are_those_of_the_program(self) -> None:
        expected = {"": yaml.safe_load(render()), "-usage": yaml.safe_load(render(USAGE))}
        assert rules_of(template(EXAMPLES["complete"])) == expected

    def test_are_those_of_a_file(self, tmp_path: Path) -> None:
        mine = render(thresholds={"daemon-down": "10m"})
        (tmp_path / "my.rules.yml").write_text(mine)
        flag = f"prometheusRule.rules={tmp_path / 'my.rules.yml'}"
        items = template(MINIMAL, "--set=prometheusRule.enabled=true", "--set-file", flag)
        assert rules_of(items) == {"": yaml.safe_load(mine)}


def test_dashboards_are_those_of_the_program() -> None:
    items = template(EXAMPLES["complete"])
    maps = [item for item in items if item["metadata"]["labels"].get("grafana_dashboard") == "1"]
    assert dict(pair for item in maps for pair in item["data"].items()) == dashboards.texts()
    assert all(len(item["metadata"]["name"]) <= 63 for item in maps)


class TestSecrets:
    def test_are_in_the_secret_only(self) -> None:
        items = template(EXAMPLES["complete"])
        given: dict[str, Any] = yaml.safe_load(EXAMPLES["complete"].read_text())
        files = secret_files(items)
        assert yaml.safe_load(files.pop("web.yaml")) == given["webConfig"]
        assert files == given["secrets"]
        others = yaml.safe_dump_all(item for item in items if item["kind"] != "Secret")
        for text in (*given["secrets"].values(), *given["webConfig"]["basic_auth_users"].values()):
            assert text not in others
            assert base64.b64encode(text.encode()).decode() not in others

    def test_do_not_replace_the_pod_but_the_configuration_does(self) -> None:
        complete = EXAMPLES["complete"]
        before = pod_of(template(complete))
        assert pod_of(template(complete, "--set", "secrets.office\\.password=new")) == before
        assert pod_of(template(complete, "--set", "config.poll_interval=20s")) != before

    def test_of_an_existing_secret_are_mounted(self) -> None:
        items = template(EXAMPLES["existing"])
        assert "Secret" not in {item["kind"] for item in items}
        volumes = {volume["name"]: volume for volume in pod_of(items)["spec"]["volumes"]}
        name = mounts(container_of(items))[str(MOUNTED / "secrets")]
        assert volumes[name]["secret"]["secretName"] == "openvpn-passwords"


def test_example_of_the_documentation_is_valid(tmp_path: Path) -> None:
    readme = (ROOT / "deploy" / "README.md").read_text()
    block = re.search(r"`my-values.yaml`:\n\n((?: {4}.*\n)+)", readme)
    command = re.search(r"^ {4}helm upgrade --install (.*)$", readme, re.MULTILINE)
    assert block is not None
    assert command is not None
    (tmp_path / "my-values.yaml").write_text(textwrap.dedent(block[1]))
    paths = {"deploy/helm": str(CHART), "my-values.yaml": str(tmp_path / "my-values.yaml")}
    arguments = [paths.get(word, word) for word in command[1].split()]
    validate(objects(run("helm", "template", *arguments)), tmp_path)


class TestRefusals:
    def test_names_the_missing_configuration(self) -> None:
        assert "at '/config': missing property 'daemons'" in refusal()

    def test_names_a_misspelt_key_of_the_configuration(self) -> None:
        flags = ("--values", MINIMAL, "--set", "config.poll_intervall=15s")
        assert "additional properties 'poll_intervall' not allowed" in refusal(*flags)

    def test_names_a_misspelt_value(self) -> None:
        flags = ("--values", MINIMAL, "--set", "serviceMonitors.enabled=true")
        assert "additional properties 'serviceMonitors' not allowed" in refusal(*flags)

    def test_says_that_two_secrets_exclude_each_other(self) -> None:
        flags = ("--values", EXAMPLES["complete"], "--set", "existingSecret=other")
        assert "existingSecret excludes secrets and webConfig" in refusal(*flags)


def test_package_has_every_file(tmp_path: Path) -> None:
    run("helm", "package", CHART, "--destination", tmp_path)
    (archive,) = tmp_path.glob("*.tgz")
    shutil.unpack_archive(archive, tmp_path / "unpacked", filter="data")
    (packed,) = (tmp_path / "unpacked").iterdir()
    names = {path.relative_to(CHART) for path in CHART.rglob("*") if path.is_file()}
    found = {path.relative_to(packed) for path in packed.rglob("*") if path.is_file()}
    assert found == names
