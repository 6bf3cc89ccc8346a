"""Who may ask, read from the file that `--web.config.file` names, in exporter-toolkit's format.

    forms           how one value is written, beyond the forms that all files share
    consistency     whether the keys fit each other
    tls             a TLS section -> what Python's `ssl` serves with
    loader          file -> policy, with every problem at once
    policy          what it comes to

Of the web server it knows nothing.
"""

from exporter.web.web_config.loader import canonical_san, load
from exporter.web.web_config.policy import ALLOW_ALL, Policy, Rate

__all__ = ["ALLOW_ALL", "Policy", "Rate", "canonical_san", "load"]
