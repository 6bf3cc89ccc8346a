"""The HTTP server: endpoints, authentication, listening sockets, and their configuration.

routes              the table of routes
metrics, probe, debug, service_discovery, configuration, health, landing
                    the endpoints
auth                rate limit, authentication and headers of every request
listener            sockets, connections, TLS, timeouts
web_config          the web configuration file -> the policy for the above
"""
