from tests.blocking import nothing_blocks
from tests.log_capture import log

__all__ = ["log", "nothing_blocks"]
