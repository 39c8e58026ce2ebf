"""What a node holds: its value or, when it could not be computed, the failure in the value's place.

A failing node keeps its error *as its value*: dependents then say which upstream failed, siblings go on,
and the next good tick repairs everything through the ordinary recomputation. :func:`same` is the cutoff
rule: a node whose outcome is the same as before stops the wave.

**Not a number.** A float NaN is never a value: a leaf refuses it, a lane of an array node that comes out NaN and
a function that returns NaN fail, and say so (:func:`refuse_nan`). NaN inside an array is data, and passes.
Infinities may be derived, and sums treat them as :func:`math.fsum` does.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

from bank_python.errors import UpstreamError, ValuationError

__all__ = ["Failure", "Outcome", "refuse_nan", "same", "upstream_failure"]

# A value of any type, or a Failure. A union with ``object`` is ``object``: the alias documents intent.
Outcome: TypeAlias = object

_COMPARABLE = (int, str, bool, bytes, type(None), tuple, frozenset)


class Failure:
    """A node's error, kept where its value would be.

    Parameters
    ----------
    error : Exception
        What reading the node raises.
    cause_name : str
        Name of the node that failed first.
    root : Exception
        The first cause's own error.
    """

    __slots__ = ("cause_name", "error", "root")

    def __init__(self, error: Exception, cause_name: str, root: Exception) -> None:
        self.error = error
        self.cause_name = cause_name
        self.root = root

    def __repr__(self) -> str:
        return f"<{type(self.error).__name__}: {self.error}>"


def upstream_failure(name: str, cause: Failure) -> Failure:
    """Return the failure of the node `name`, one of whose inputs holds `cause`."""
    error = UpstreamError(
        f"{name} has no value because {cause.cause_name} failed: {cause.root}",
        name=name,
        cause_name=cause.cause_name,
    )
    error.__cause__ = cause.root
    return Failure(error, cause.cause_name, cause.root)


def refuse_nan(name: str, outcome: Outcome) -> Outcome:
    """Return `outcome`, or the failure of the node `name` if it is a float NaN."""
    if isinstance(outcome, float) and outcome != outcome:  # noqa: PLR0124 - the quickest way to ask
        error = ValuationError(
            f"{name} came out as not a number (NaN); return a value, or raise an error that says why there is none",
            name=name,
        )
        return Failure(error, name, error)
    return outcome


def same(old: Outcome, new: Outcome) -> bool:
    """Whether two outcomes are equal to the bit, NaN being equal to NaN.

    Floats and arrays compare by bits (so 0.0 and −0.0 differ), plain immutable values by type and
    equality, failures by what they say. Any other object counts as changed unless it is the very same
    one: comparing arbitrary objects may be slow, may raise, or may lie.

    Examples
    --------
    >>> same(1.0, 1.0), same(0.0, -0.0), same(float("nan"), float("nan"))
    (True, False, True)
    """
    if old is new:
        return True
    if type(old) is not type(new):
        return False
    if isinstance(old, float) and isinstance(new, float):
        return _same_float(old, new)
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        return _same_array(old, new)
    if isinstance(old, Failure) and isinstance(new, Failure):
        return type(old.error) is type(new.error) and str(old.error) == str(new.error)
    return isinstance(old, _COMPARABLE) and bool(old == new)


def _same_float(old: float, new: float) -> bool:
    if old == new:
        return old != 0.0 or math.copysign(1.0, old) == math.copysign(1.0, new)
    return math.isnan(old) and math.isnan(new)


def _same_array(old: np.ndarray, new: np.ndarray) -> bool:
    if old.dtype != new.dtype or old.shape != new.shape or old.dtype.hasobject:
        return False
    return old.tobytes() == new.tobytes()
