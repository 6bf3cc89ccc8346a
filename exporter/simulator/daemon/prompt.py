"""What a client-mode daemon stands still for until its management client answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """A request as OpenVPN puts it, the type it names, and what has to be entered for it."""

    request: str
    kind: str
    needs: tuple[str, ...]


AUTH = Question(">PASSWORD:Need 'Auth' username/password", "Auth", ("username", "password"))
PRIVATE_KEY = Question(">PASSWORD:Need 'Private Key' password", "Private Key", ("password",))
TOKEN = Question(
    ">NEED-OK:Need 'token-insertion-request' confirmation MSG:Please insert your token",
    "token-insertion-request",
    ("needok-confirmation",),
)
NAME = Question(
    ">NEED-STR:Need 'name' string MSG:Please specify your name", "name", ("needstr-string",)
)

Answers = Mapping[str, str]


class Prompt:
    """A question that stands until all it needs was entered."""

    def __init__(self, question: Question, proceed: Callable[[Answers], None]) -> None:
        """Call `proceed` with the answers as soon as all are there."""
        self.question = question
        self._proceed = proceed
        self._answers: dict[str, str] = {}

    def enter(self, what: str, answer: str) -> None:
        """Take one of the answers."""
        self._answers[what] = answer
        if all(need in self._answers for need in self.question.needs):
            self._proceed(self._answers)
