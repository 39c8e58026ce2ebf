"""Type checks of arguments, derived from a function's signature.

``@admits(RiskError)`` reads the annotations of a function once, and checks the arguments of every call against them. A
``float`` has to be a real number (not True, not text), an ``int`` a whole number, an ``ArrayLike`` an array of numbers
of any shape, and a class annotation an instance of that class. Whether a number is in range is checked by the function
itself. A call that does not fit the signature is explained (:mod:`bank_python.guessing`).

Examples
--------
>>> from bank_python.errors import RiskError
>>> @admits(RiskError)
... def half(amount: float) -> float:
...     return 0.5 * amount
>>> half(3)
1.5
>>> half("3")
Traceback (most recent call last):
    ...
bank_python.errors.RiskError: half: amount='3' is not a number; give a number
"""

from __future__ import annotations

import datetime as dt
import functools
import inspect
import numbers
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import numpy as np

from bank_python.guessing import explain_calls

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.errors import BankError

__all__ = ["admits", "as_numbers", "is_array_like"]

_Function = TypeVar("_Function", bound="Callable[..., Any]")
_Admission: TypeAlias = "tuple[Callable[[object], bool], str]"


def is_array_like(value: object) -> bool:
    """Whether a value is a real number or an array (or nested sequence) of them."""
    return value.__class__ is float or as_numbers(value) is not None


def as_numbers(value: object) -> NDArray[np.float64] | None:
    """Return a number, or an array or nested sequence of numbers, as an array of float64; None for anything else.

    Text, None, complex numbers, dates and ragged sequences give None.
    """
    try:
        array = np.asarray(value)
        if array.dtype.kind in "biuf" or _holds_numbers(array):
            return array.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError):
        return None
    return None


def admits(error: type[BankError], *, members: bool = True) -> Callable[[_Function], _Function]:
    """Make a function, or the constructor of a class, reject arguments of the wrong type.

    Parameters
    ----------
    error : type of BankError
        Class of the error to raise; ``name`` and ``value`` of the argument become attributes of it.
    members : bool, default True
        Whether the members of lists and mappings are checked too; False for a function that checks them itself.
    """

    def decorate(function: _Function) -> _Function:
        if not isinstance(function, type):
            return _guarded(function, function.__qualname__.removesuffix(".__init__"), error, members=members)
        kind: Any = function
        kind.__init__ = _guarded(kind.__init__, kind.__name__, error, members=members)
        return function

    return decorate


def _guarded(function: _Function, title: str, error: type[BankError], *, members: bool) -> _Function:
    parameters = inspect.signature(inspect.unwrap(function)).parameters
    found = [_admission(function, item, members=members) for item in parameters.values()]
    named = enumerate(zip(parameters, found, strict=True))
    places = [(i, name, *admission) for i, (name, admission) in named if admission is not None]

    explained = explain_calls(function, title)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for place, name, accepts, wanted in places:
            if place < len(args):
                if not accepts(args[place]):
                    raise _refused(error, title, name, args[place], wanted)
            elif name in kwargs and not accepts(kwargs[name]):
                raise _refused(error, title, name, kwargs[name], wanted)
        return explained(*args, **kwargs)

    call.__dict__["__signature__"] = inspect.signature(explained)
    return cast("_Function", call)


def _refused(error: type[BankError], title: str, name: str, value: object, wanted: str) -> BankError:
    shown = repr(value)
    shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
    return error(f"{title}: {name}={shown} is not {wanted}; give {wanted}", name=name, value=value)


_LONGEST = 60
_WITH_NONE = 2  # alternatives of an optional argument


def _admission(function: Callable[..., Any], parameter: inspect.Parameter, *, members: bool) -> _Admission | None:
    """Return what a parameter accepts, and in words; None if its annotation does not say."""
    loose = parameter.kind in {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    if loose or not isinstance(parameter.annotation, str):
        return None
    annotation = parameter.annotation if members else re.sub(r"\[.*?\](?![^\[]*\])", "", parameter.annotation)
    return _union(annotation, getattr(inspect.unwrap(function), "__globals__", {}))


def _union(annotation: str, names: Mapping[str, object]) -> _Admission | None:
    found = [_alternative(part, names) for part in _split(annotation, "|")]
    kinds = [kind for kind in found if kind is not None]
    if len(kinds) < len(found):
        return None
    words = " or ".join(dict.fromkeys(said for _, said in kinds if said))
    checks = [accepts for accepts, _ in kinds]
    if len(checks) == 1:
        return kinds[0]
    if len(checks) == _WITH_NONE and _is_none in checks:
        (accepts,) = (each for each in checks if each is not _is_none)
        return (lambda value: value is None or accepts(value)), words
    return (lambda value: any(accepts(value) for accepts in checks)), words


def _split(annotation: str, at: str) -> list[str]:
    """Split an annotation, but not inside brackets."""
    parts, depth = [""], 0
    for character in annotation:
        depth += (character == "[") - (character == "]")
        if character == at and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _alternative(annotation: str, names: Mapping[str, object]) -> _Admission | None:
    head, _, inside = annotation.partition("[")
    if head in _KINDS:
        whole, member = _KINDS[head], _split(inside[:-1], ",")[-1]
        return _members(whole, member, names) if member and head in _LISTS else whole
    known = names.get(head)
    if known is Any or not (isinstance(known, type) or head in _BY_NAME):
        return None
    words = f"{'an' if head[0] in 'AEIOU' else 'a'} {head}"
    if isinstance(known, type):
        return (lambda value: isinstance(value, known)), words
    return (lambda value: any(base.__name__ == head for base in type(value).__mro__)), words


def _members(whole: _Admission, annotation: str, names: Mapping[str, object]) -> _Admission:
    """Return the check of a list or mapping whose annotation includes the type of its members."""
    member = _union(annotation, names)
    if member is None:
        return whole
    (is_whole, words), (accepts, member_words) = whole, member

    def is_admitted(value: object) -> bool:
        if not is_whole(value):
            return False
        members: Any = value.values() if isinstance(value, Mapping) else value if _is_sequence(value) else ()
        return all(map(accepts, members))

    return is_admitted, f"{words} in which each is {member_words}"


def _is_number(value: object) -> bool:
    if value.__class__ is float:
        return True
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool | np.bool_)


def _is_none(value: object) -> bool:
    return value is None


def _is_listed(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)


def _is_sequence(value: object) -> bool:
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str | bytes)


def _holds_numbers(array: NDArray[Any]) -> bool:
    return array.dtype.kind == "O" and all(
        isinstance(value, numbers.Real) or hasattr(value, "__float__") for value in array.ravel().tolist()
    )


_NUMBERS: _Admission = (is_array_like, "a number or an array of numbers")
_KINDS: dict[str, _Admission] = {
    "float": (_is_number, "a number"),
    "int": (_is_whole, "a whole number"),
    "bool": (_is_flag, "true or false"),
    "str": (lambda value: isinstance(value, str), "text"),
    "None": (_is_none, ""),
    "ArrayLike": _NUMBERS,
    "FloatArray": _NUMBERS,
    "Numbers": _NUMBERS,
    "Sequence": (_is_sequence, "a list"),
    "Iterable": (_is_listed, "a list"),
    "Mapping": (lambda value: isinstance(value, Mapping), "a mapping"),
    "Callable": (callable, "a function"),
    "dt.date": (lambda value: isinstance(value, dt.date), "a date"),
}
_LISTS = frozenset({"Sequence", "Iterable", "Mapping"})
_BY_NAME = frozenset(
    {
        "Bar",
        "BarbaraDB",
        "ContractBatch",
        "Curve",
        "DependencyGraph",
        "FactorModel",
        "GaugeBoard",
        "HestonProcess",
        "Instrument",
        "MCConfig",
        "MacroHistory",
        "MertonJumpDiffusion",
        "Position",
        "RiskFactor",
        "SmileQuotes",
        "StressScenario",
        "SurvivalCurve",
        "SviSlice",
        "ValuationPlan",
    }
)
"""Classes that are checked by name, as the annotated modules import them for type checking only."""
