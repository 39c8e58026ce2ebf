"""What contract classes declare beside sources and plain terms: dates, words, arguments of the constructor alone."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from bank_python.dagger.contract import REQUIRED, Contract, Declaration, Term
from bank_python.instruments.checks import end_on, years_to

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

__all__ = ["Argument", "Expiry", "InferredLabel", "Label", "MadeAt"]

_Value = TypeVar("_Value")


class Expiry(Term):
    """A term that is a time: years from the making of the contract, not negative, or the date (which needs a clock)."""

    hint = float | dt.date

    def __init__(self, doc: str, *, default: object = REQUIRED, alias: str | None = None) -> None:
        super().__init__(doc, default=default, alias=alias, at_least=0.0)

    if TYPE_CHECKING:

        def __set__(self, node: Contract, value: float | dt.date) -> None: ...

    def take(self, contract: str, value: Any, arguments: Mapping[str, Any]) -> float:
        """Return the years from now."""
        if isinstance(value, dt.date):
            return years_to(contract, self.name, value, arguments.get("clock_source", 0.0))
        return super().take(contract, value, arguments)


class MadeAt(Term):
    """The term that notes what the clock read when the contract was made, in years."""

    def __init__(self, doc: str, *, init: bool = False) -> None:
        super().__init__(doc, init=init)

    def take(self, contract: str, value: Any, arguments: Mapping[str, Any]) -> float:  # noqa: ARG002 - as every term's
        """Return what the clock reads."""
        return end_on(arguments["clock_source"], 0.0)


class Label(Declaration):
    """A word that belongs to a contract and that its price does not need: its currency, a sector.

    Parameters
    ----------
    doc, default, alias
        As for :class:`~bank_python.dagger.contract.Declaration`.
    check : callable, optional
        From the contract's name and the word to the word, or raising an InstrumentError.
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
        """A word that needs no check."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, node: None, owner: type) -> Self: ...
        @overload
        def __get__(self, node: Contract, owner: type) -> str: ...
        def __get__(self, node: Contract | None, owner: type) -> Self | str: ...
        def __set__(self, node: Contract, value: str) -> None: ...

    def take(self, contract: str, value: Any) -> str:
        """Return the word, checked."""
        return str(value) if self.check is None else self.check(contract, value)


class InferredLabel(Label):
    """A label that the class works out where it is not given; its default is None."""

    hint = str | None

    if TYPE_CHECKING:

        def __set__(self, node: Contract, value: str | None) -> None: ...


class Argument(Declaration, Generic[_Value]):
    """An argument of the constructor alone, from which the class works out terms.

    Parameters
    ----------
    doc, default
        As for :class:`~bank_python.dagger.contract.Declaration`.
    hint : type
        What the constructor's argument shows.
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
        raise AttributeError(f"{type(node).__name__} does not keep the argument {self.name} it was made with")

    def __set__(self, node: Contract, value: _Value) -> None:
        raise AttributeError(f"{type(node).__name__} does not keep the argument {self.name} it was made with")
