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
