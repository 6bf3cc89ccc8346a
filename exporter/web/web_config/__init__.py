"""The web configuration file of `--web.config.file`, in the format of Prometheus' exporter-toolkit.

    schema          every key: its type, default and description
    tls             the TLS section -> a context of Python's `ssl`
    policy          what the file sets
    loader          the file -> the policy, or every problem of the file

It knows nothing of the web server.
"""

from exporter.web.web_config.policy import ALLOW_ALL, Policy, Rate, canonical_san

__all__ = ["ALLOW_ALL", "Policy", "Rate", "canonical_san"]
