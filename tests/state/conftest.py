from tests.blocking import forbid_blocking

__all__ = ["forbid_blocking"]
