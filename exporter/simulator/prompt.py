"""A request for credentials that a client-mode daemon stands still for."""

from collections.abc import Callable

KIND = "Auth"


class Prompt:
    """`>PASSWORD:Need 'Auth' username/password`, until both are given."""

    request = f">PASSWORD:Need '{KIND}' username/password"
    """The line that asks; repeated to every client that attaches."""

    def __init__(self, proceed: Callable[[str, str], None]) -> None:
        """Call `proceed` with user name and password as soon as both are there."""
        self._username = ""
        self._password = ""
        self._proceed = proceed

    def answer(self, *, username: str = "", password: str = "") -> None:
        """Take an answer; an empty one changes nothing."""
        self._username = username or self._username
        self._password = password or self._password
        if self._username and self._password:
            self._proceed(self._username, self._password)
