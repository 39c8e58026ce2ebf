"""What a law of moves between two rebalancings is, and by what it is made comparable with the Gaussian one."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from bank_python.numerics import FloatArray

__all__ = ["HedgeLaw", "Scaling", "StepLaw", "Walk"]


class HedgeLaw(enum.Enum):
    """Distribution of the moves between two rebalancings."""

    GAUSSIAN = "gaussian"
    STUDENT_T = "student_t"
    POWER_LAW = "power_law"
    JUMPS = "jumps"
    STOCHASTIC_VOL = "stochastic_vol"


class Scaling(enum.Enum):
    """What a law has in common with the Gaussian one."""

    VARIANCE = "variance"
    MAD = "mad"


class Walk(ABC):
    """Moves of a block of paths, step by step."""

    @abstractmethod
    def advance(self, prices: FloatArray, logs: FloatArray) -> None:
        """Move prices and their logarithms by one step, in place.

        Parameters
        ----------
        prices, logs : ndarray, shape (paths,)
            Prices relative to the first one, without carry, and their logarithms; both are overwritten.
        """


class StepLaw(ABC):
    """Law of the moves over steps of one length."""

    @property
    @abstractmethod
    def said(self) -> str:
        """The law in words, with its parameters and its size."""

    @abstractmethod
    def walk(self, rng: np.random.Generator, paths: int) -> Walk:
        """Return the moves of a block of paths.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the random numbers.
        paths : int
            Number of paths.
        """
