"""`/docs/`: the documentation of this version, readable without Internet.

library             the pages, which `make docs` renders from the repository's Markdown files
page                the endpoint
"""

from exporter.web.docs.page import handler

__all__ = ["handler"]
