"""The page of one daemon, `/daemons/NAME`: what is known of it, and a server's clients.

page                the endpoint and the whole page
facts               state, problem, versions, totals; the state history
client_table        the table of the clients and its controls
client_order        which clients a page of the table shows, in which order
"""

from exporter.web.daemon_page.page import handler

__all__ = ["handler"]
