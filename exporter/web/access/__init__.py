"""Whether a request is answered, by the policy that is in force at that moment.

rules           the policy, which follows its file
rate            how often
credentials     what an `Authorization` header says
passwords       whether it is true
gate            the one place that every request passes
"""

from exporter.web.access.gate import guard
from exporter.web.access.rules import Rules

__all__ = ["Rules", "guard"]
