"""The page at `/`, for people: which daemons are watched, and how they are. Static, no script.

handler             the endpoint
page                what is told of all daemons: problems first, and not more than a phone shows
condition           how one daemon is, in one word, and what is wrong with it
row                 one daemon as rows of the table
quantities          bytes and ages for people
page.html, page.css the frame
"""

from exporter.web.landing.handler import handler

__all__ = ["handler"]
