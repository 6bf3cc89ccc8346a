"""What is wrong with keys that, each by itself, are right."""

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """One thing to mend: the key to blame, and one sentence that says what and how."""

    key: str
    text: str


class Faulty(Exception):
    """Something can't be used; `fault` says what."""

    def __init__(self, key: str, text: str) -> None:
        """Blame `key`."""
        super().__init__(text)
        self.fault = Fault(key, text)
