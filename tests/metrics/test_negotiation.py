from exporter.metrics.family import Metric, MetricType
from exporter.metrics.negotiation import help_and_type


class TestHelpAndType:
    def test_are_escaped_by_the_rules_of_each_format(self) -> None:
        metric = Metric("openvpn_x_total", MetricType.COUNTER, 'A "b" \\ c\nd.')
        plain = '# HELP openvpn_x_total A "b" \\\\ c\\nd.\n# TYPE openvpn_x_total counter\n'
        openmetrics = '# HELP openvpn_x A \\"b\\" \\\\ c\\nd.\n# TYPE openvpn_x counter\n'
        assert help_and_type(metric, openmetrics=False).decode() == plain
        assert help_and_type(metric, openmetrics=True).decode() == openmetrics

    def test_of_an_info_are_those_of_a_gauge_in_plain_text(self) -> None:
        metric = Metric("openvpn_x_info", MetricType.INFO, "X.")
        assert help_and_type(metric, openmetrics=False).endswith(b"# TYPE openvpn_x_info gauge\n")
        assert help_and_type(metric, openmetrics=True).endswith(b"# TYPE openvpn_x info\n")
