from tests.blocking import nothing_blocks
from tests.daemon.conftest import journal

__all__ = ["journal", "nothing_blocks"]
