"""Whether a request is answered, by the policy that is in force at that moment.

rules           the policy, which follows its file
rate            how often
credentials     what an `Authorization` header says
passwords       whether it is true
gate            the one place that every request passes
"""

from exporter.web.auth.middleware import install
from exporter.web.auth.policy import PolicyFile

__all__ = ["PolicyFile", "install"]
