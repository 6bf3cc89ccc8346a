from tests.blocking import forbid_blocking
from tests.log_capture import log

__all__ = ["forbid_blocking", "log"]
