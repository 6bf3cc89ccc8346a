"""What the pages and the JSON show: values of a daemon's state, under its privacy.

The landing page, the page of a daemon and the JSON show the same values, and no more of a client
than `/metrics` does.

daemon              a daemon: health, state, problem, versions, totals, rates; its state history
clients             its clients: connected, expected but missing, gone
"""
