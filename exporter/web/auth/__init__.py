"""Rate limit, authentication and headers, by the policy of the web configuration file.

middleware      applies them to every request and response
passwords       credentials of a request, checked against bcrypt hashes
check_queue     the order of these checks, fair to the peers
policy          the policy in force, which follows its file
"""

from exporter.web.auth.middleware import protect
from exporter.web.auth.policy import PolicyFile

__all__ = ["PolicyFile", "protect"]
