"""Thresholds of gauges: from which figure on a gauge is watched, and from which on it shows stress."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from bank_python.display import Record
from bank_python.errors import MacroError

__all__ = ["GaugeState", "GaugeThresholds"]


class GaugeState(Enum):
    """State of a gauge, by its thresholds."""

    CALM = "calm"
    WATCH = "watch"
    STRESS = "stress"


@dataclass(frozen=True, slots=True)
class GaugeThresholds(Record):
    """Thresholds of a gauge, in its unit.

    Parameters
    ----------
    source : str
        Origin of the thresholds, or the word assumption.
    watch_above, stress_above : float, default infinity
        Figures beyond which the gauge is watched and shows stress, as it is high.
    watch_below, stress_below : float, default minus infinity
        Figures below which the gauge is watched and shows stress, as it is low.

    Raises
    ------
    MacroError
        The thresholds are not in order, or one is NaN.

    Examples
    --------
    >>> GaugeThresholds("convention", watch_above=20.0, stress_above=30.0).state(25.0).value
    'watch'
    """

    source: str
    watch_above: float = math.inf
    stress_above: float = math.inf
    watch_below: float = -math.inf
    stress_below: float = -math.inf

    def __post_init__(self) -> None:
        ordered = self.stress_below <= self.watch_below < self.watch_above <= self.stress_above
        if not ordered:
            raise MacroError(
                f"thresholds {self.stress_below:g}, {self.watch_below:g}, {self.watch_above:g}, {self.stress_above:g} "
                "do not ascend; give stress_below, watch_below, watch_above, stress_above in ascending order"
            )

    def state(self, value: float) -> GaugeState:
        """Return the state of a figure: a figure on a threshold has not passed it.

        Parameters
        ----------
        value : float
            Figure of the gauge, in its unit.
        """
        if value > self.stress_above or value < self.stress_below:
            return GaugeState.STRESS
        if value > self.watch_above or value < self.watch_below:
            return GaugeState.WATCH
        return GaugeState.CALM

    def said(self, state: GaugeState, unit: str) -> str:
        """Return the thresholds of a state in words, such as ``"below 0 or above 2.5 %"``.

        Parameters
        ----------
        state : GaugeState
            State with thresholds: watch or stress.
        unit : str
            Unit of the gauge.
        """
        low, high = (
            (self.stress_below, self.stress_above)
            if state is GaugeState.STRESS
            else (self.watch_below, self.watch_above)
        )
        parts = [f"below {low:g}"] if math.isfinite(low) else []
        parts += [f"above {high:g}"] if math.isfinite(high) else []
        return f"{' or '.join(parts)} {unit}".strip() if parts else "never"
