"""Text panels."""

from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models import text as model

from grafana.panels.panel import Size

WIDE = Size(24, 8)


def text(title: str, description: str, content: str, *, size: Size = WIDE) -> dashboard.Panel:
    """Return a panel with Markdown."""
    return dashboard.Panel(
        type_val="text",
        title=title,
        description=description,
        grid_pos=dashboard.GridPos(h=size.height, w=size.width),
        options=model.Options(mode=model.TextMode.MARKDOWN, content=content),
    )
