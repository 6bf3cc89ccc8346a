"""The landing page `/`: the daemons, those that are down first.

page                the endpoint and the whole page
row                 one daemon: a row of values, and a row for its problem
"""

from exporter.web.landing.page import handler

__all__ = ["handler"]
