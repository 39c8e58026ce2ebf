"""Exponential backoff: the wait between a failed attempt and the next one.

The wait before attempt n + 1 is ``min(base · factor^(n − 1), maximum)`` seconds, multiplied by a uniformly distributed
factor in ``1 ± jitter``, so that jobs which failed together are not retried together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from bank_python.display import Record
from bank_python.errors import JobConfigError
from bank_python.guessing import guessable

__all__ = ["LONGEST_WAIT", "Backoff", "UniformSource"]


class UniformSource(Protocol):
    """A source of uniform random numbers in [0, 1): a :class:`random.Random` or a numpy ``Generator``."""

    def random(self) -> float:
        """Return the next random float in [0, 1)."""
        ...


LONGEST_WAIT = 100 * 365.25 * 86_400.0
"""Longest interval or wait, a century in seconds, so that every due time is a date that Python can represent."""


@guessable
@dataclass(frozen=True, slots=True)
class Backoff(Record):
    """Exponentially growing waits between the attempts of a run.

    Parameters
    ----------
    base : float
        Wait after the first failure in seconds, ≥ 0.
    factor : float
        Factor by which the wait grows with each further failure, ≥ 1.
    maximum : float
        Longest wait (before jitter) in seconds, ≥ `base` and at most a century.

    Raises
    ------
    JobConfigError
        An argument is outside its range.

    Examples
    --------
    >>> [Backoff(base=1, factor=2, maximum=5).delay(n) for n in (1, 2, 3, 4)]
    [1.0, 2.0, 4.0, 5.0]
    """

    base: float = 1.0
    factor: float = 2.0
    maximum: float = 60.0

    def __post_init__(self) -> None:
        for field, value, least in (
            ("base", self.base, 0.0),
            ("factor", self.factor, 1.0),
            ("maximum", self.maximum, self.base),
        ):
            number: Any = value
            if isinstance(number, bool) or not isinstance(number, int | float) or not least <= number < math.inf:
                raise JobConfigError(
                    f"Backoff: {field}={value!r} is not a finite number of at least {least}; "
                    "give seconds for base and maximum (maximum ≥ base ≥ 0) and a factor ≥ 1",
                    name="Backoff",
                    value=value,
                )

        if self.maximum > LONGEST_WAIT:
            message = f"Backoff: maximum={self.maximum!r} is more than a century ({LONGEST_WAIT:g} s); give less"
            raise JobConfigError(message, name="Backoff", value=self.maximum)

    def delay(self, attempt: int, jitter: float = 0.0, rng: UniformSource | None = None) -> float:
        """Return the wait after failed attempt number `attempt`, in seconds.

        Parameters
        ----------
        attempt : int
            Number of the attempt that failed, from 1.
        jitter : float
            Largest random change of the wait in either direction, as a fraction of it in [0, 1].
        rng : UniformSource or None
            Random numbers for the jitter; there is no jitter without it.
        """
        try:
            grown = self.base * self.factor ** (attempt - 1)
        except OverflowError:
            grown = math.inf if self.base else 0.0
        wait = float(min(grown, self.maximum))
        if rng is None or jitter == 0.0:
            return wait
        return wait * (1.0 + jitter * (2.0 * rng.random() - 1.0))
