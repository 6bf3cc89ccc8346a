from tests.log_capture import restore_logging

__all__ = ["restore_logging"]
