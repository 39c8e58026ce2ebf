"""Declarations of contract classes beside sources and plain terms: dates, labels, constructor arguments."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import numpy as np

from bank_python.dagger.contract import REQUIRED, Contract, Declaration, Term
from bank_python.instruments.checks import end_on, years_to

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

__all__ = ["Argument", "Expiry", "InferredLabel", "Label", "MadeAt"]

_Value = TypeVar("_Value")


class Expiry(Term):
    """A term that is a time: years from now, at least 0, a tenor, or a date (which needs a clock)."""

    hint = float | dt.date | str

    def __init__(self, doc: str, *, default: object = REQUIRED, alias: str | None = None) -> None:
        super().__init__(doc, default=default, alias=alias, at_least=0.0)

    if TYPE_CHECKING:

        def __set__(self, node: Contract, value: float | dt.date | str) -> None: ...

    def take(self, contract: str, value: Any, arguments: Mapping[str, Any]) -> float:
        """Return the time in years from now."""
        if isinstance(value, dt.date | str | np.datetime64):
            return years_to(contract, self.name, value, arguments.get("clock_source", 0.0))
        return super().take(contract, value, arguments)


class MadeAt(Term):
    """The term that records the clock time of the contract's creation, in years."""

    def __init__(self, doc: str, *, init: bool = False) -> None:
        super().__init__(doc, init=init)

    def take(self, contract: str, value: Any, arguments: Mapping[str, Any]) -> float:  # noqa: ARG002 - the signature of the base class
        """Return the current clock time in years."""
        return end_on(arguments["clock_source"], 0.0)


class Label(Declaration):
    """A text attribute of a contract that its price does not depend on, such as its currency or sector.

    Parameters
    ----------
    doc, default, alias
        Description, default value and argument name, as for :class:`~bank_python.dagger.contract.Declaration`.
    check : callable, optional
        Function of the contract's name and the text that returns the text, or raises an InstrumentError.
    """

    hint = str

    def __init__(
        self,
        doc: str,
        *,
        default: object = REQUIRED,
        alias: str | None = None,
        check: Callable[[str, str], str] | None = None,
    ) -> None:
        super().__init__(doc, default=default, alias=alias)
        self.check = check
        self.sure = default if isinstance(default, str) else REQUIRED
        """Default text, which is not checked again."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, node: None, owner: type) -> Self: ...
        @overload
        def __get__(self, node: Contract, owner: type) -> str: ...
        def __get__(self, node: Contract | None, owner: type) -> Self | str: ...
        def __set__(self, node: Contract, value: str) -> None: ...

    def take(self, contract: str, value: Any) -> str:
        """Return the text after checking it."""
        return str(value) if self.check is None else self.check(contract, value)


class InferredLabel(Label):
    """A label that the class computes if it is not given; its default is None."""

    hint = str | None

    if TYPE_CHECKING:

        def __set__(self, node: Contract, value: str | None) -> None: ...


class Argument(Declaration, Generic[_Value]):
    """An argument of the constructor that is not stored, from which the class computes terms.

    Parameters
    ----------
    doc, default
        Description and default value, as for :class:`~bank_python.dagger.contract.Declaration`.
    hint : type
        Type annotation of the constructor's argument.
    """

    def __init__(self, doc: str, *, hint: object, default: object = REQUIRED) -> None:
        super().__init__(doc, default=default)
        self.hint = hint

    @overload
    def __get__(self, node: None, owner: type) -> Self: ...
    @overload
    def __get__(self, node: Contract, owner: type) -> _Value: ...
    def __get__(self, node: Contract | None, owner: type) -> Self | _Value:
        if node is None:
            return self
        raise AttributeError(f"{type(node).__name__} does not store its constructor argument {self.name}")

    def __set__(self, node: Contract, value: _Value) -> None:
        raise AttributeError(f"{type(node).__name__} does not store its constructor argument {self.name}")
