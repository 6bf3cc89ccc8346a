"""The landing page `/`: the daemons, those that are down first. Static HTML, no script.

page                the endpoint and the whole page
row                 one daemon: its health, and its rows of the table
page.html, page.css the template and the style
"""

from exporter.web.landing.page import handler

__all__ = ["handler"]
