"""The HTTP server: endpoints, authentication, listening sockets, and their configuration.

routes              the table of routes
metrics, probe, debug, service_discovery, configuration, health, api, landing, daemon_page, docs
                    the endpoints
view                what pages and JSON show of a daemon, as values
pages               what all HTML pages share
auth                rate limit, authentication and headers of every request
listener            sockets, connections, TLS, timeouts
web_config          the web configuration file -> the policy for the above
"""

import os

_ca_file = os.environ.get("SSL_CERT_FILE")

# aiohttp's client, which a server never uses, reads the system's CA certificates while it is
# imported (3.14): 40 ms and 2 MiB. OpenSSL reads the file of this variable in their place.
os.environ["SSL_CERT_FILE"] = os.devnull
try:
    import aiohttp  # noqa: F401
finally:
    del os.environ["SSL_CERT_FILE"]
    if _ca_file is not None:
        os.environ["SSL_CERT_FILE"] = _ca_file
