import pytest

from exporter.metrics.lines import render
from exporter.metrics.metric import Kind, Metric


class TestSampleLines:
    def test_escape_what_would_end_a_label(self) -> None:
        metric = Metric("openvpn_x", Kind.GAUGE, "X.", ("a",))
        line = render(metric, 'of"fice', [(("back\\slash\nline",), 1)])
        assert line == b'openvpn_x{daemon="of\\"fice",a="back\\\\slash\\nline"} 1\n'

    def test_leave_out_empty_labels_of_several(self) -> None:
        metric = Metric("openvpn_x", Kind.GAUGE, "X.", ("a", "b", "c"))
        line = render(metric, "office", [(("1", "", "3"), 1)])
        assert line == b'openvpn_x{daemon="office",a="1",c="3"} 1\n'

    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (0, "0"),
            (True, "1"),
            (2**64 - 1, "18446744073709551615"),
            (1795435200.123456, "1795435200.123456"),
            (1e300, "1e+300"),
            (0.1, "0.1"),
        ],
    )
    def test_keep_every_digit(self, value: float, written: str) -> None:
        metric = Metric("openvpn_x", Kind.GAUGE, "X.")
        assert render(metric, "d", [((), value)]).decode() == f'openvpn_x{{daemon="d"}} {written}\n'

    def test_refuse_too_few_label_values(self) -> None:
        metric = Metric("openvpn_x", Kind.GAUGE, "X.", ("a", "b"))
        with pytest.raises(ValueError, match="shorter"):
            render(metric, "d", [(("1",), 1)])
