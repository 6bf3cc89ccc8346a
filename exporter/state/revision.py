"""Revisions of a state, by which text that was rendered from an older one is known as outdated."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from exporter.management.batches import WAITING, Steps


class Revised(Protocol):
    """An object with a revision."""

    revision: int


class RevisedInBatches(Revised, Protocol):
    """An object that changes in batches; `is_updating` while such a change is under way."""

    is_updating: bool


_P = ParamSpec("_P")
_Result = TypeVar("_Result")
_Object = TypeVar("_Object", bound=Revised)
_BatchObject = TypeVar("_BatchObject", bound=RevisedInBatches)
_Mutator = Callable[Concatenate[_Object, _P], None]
_BatchMutator = Callable[Concatenate[_BatchObject, _P], Steps[_Result]]


def mutates(method: _Mutator[_Object, _P]) -> _Mutator[_Object, _P]:
    """Advance `revision` with each call of a method."""

    @functools.wraps(method)
    def mutate(revised: _Object, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        revised.revision += 1
        method(revised, *args, **kwargs)

    return mutate


def mutates_in_batches(
    method: _BatchMutator[_BatchObject, _P, _Result],
) -> _BatchMutator[_BatchObject, _P, _Result]:
    """Advance `revision` after the last batch of a method that yields after each of them.

    Text is rendered again when all of the change is there. Such changes exclude each other: one
    begins when no other is under way, and yields `WAITING` until then.
    """

    @functools.wraps(method)
    def mutate(revised: _BatchObject, /, *args: _P.args, **kwargs: _P.kwargs) -> Steps[_Result]:
        while revised.is_updating:
            yield WAITING
        revised.is_updating = True
        try:
            return (yield from method(revised, *args, **kwargs))
        finally:
            revised.is_updating = False
            revised.revision += 1

    return mutate
