from tests.blocking import nothing_blocks

__all__ = ["nothing_blocks"]
