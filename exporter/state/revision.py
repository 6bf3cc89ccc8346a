"""Revisions of a state, by which text that was rendered from an older one is known as outdated."""

import functools
from collections.abc import Callable, Generator
from typing import Concatenate, ParamSpec, Protocol, TypeVar


class Revised(Protocol):
    """An object with a revision."""

    revision: int


_P = ParamSpec("_P")
_Object = TypeVar("_Object", bound=Revised)
_Mutator = Callable[Concatenate[_Object, _P], None]
_BatchMutator = Callable[Concatenate[_Object, _P], Generator[None, None, None]]


def mutates(method: _Mutator[_Object, _P]) -> _Mutator[_Object, _P]:
    """Advance `revision` with each call of a method."""

    @functools.wraps(method)
    def mutate(revised: _Object, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        revised.revision += 1
        method(revised, *args, **kwargs)

    return mutate


def mutates_in_batches(method: _BatchMutator[_Object, _P]) -> _BatchMutator[_Object, _P]:
    """Advance `revision` with each batch of a method that yields after each of them."""

    @functools.wraps(method)
    def mutate(
        revised: _Object, /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Generator[None, None, None]:
        for _ in method(revised, *args, **kwargs):
            revised.revision += 1
            yield

    return mutate


def mutates_at_end(method: _BatchMutator[_Object, _P]) -> _BatchMutator[_Object, _P]:
    """Advance `revision` after the last batch: text is rendered again when all of it is there."""

    @functools.wraps(method)
    def mutate(
        revised: _Object, /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Generator[None, None, None]:
        try:
            yield from method(revised, *args, **kwargs)
        finally:
            revised.revision += 1

    return mutate
