"""The macro regime in one reading: directions of growth and inflation, stress by group, and a fitted regime.

Examples
--------
>>> from bank_python.macro.gauges import read_gauges
>>> from bank_python.macro.simulated import simulate_macro
>>> board = read_gauges(simulate_macro(years=8, seed=7))
>>> regime = macro_regime(board, fitted="high variance", probability=0.83)
>>> regime.is_simulated, regime.fitted, regime.probability
(True, 'high variance', 0.83)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.admission import admits
from bank_python.errors import MacroError
from bank_python.macro.thresholds import GaugeState
from bank_python.results import Tabular

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from bank_python.macro.gauge_definitions import GaugeGroup
    from bank_python.macro.gauges import GaugeBoard
    from bank_python.mntable import Table

__all__ = ["MacroRegime", "macro_regime"]

_MANY, _SOME = 0.4, 0.15


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MacroRegime(Tabular):
    """The macro regime; returned by :func:`macro_regime`.

    Parameters
    ----------
    as_of : datetime.date
        Date of the reading.
    phrase : str
        Directions of growth and inflation in words.
    basis : tuple of str
        Figures that the directions are taken from.
    stress_share : float, optional
        Share of the gauges that show stress, in [0, 1]; None if no gauge can be read.
    in_stress : mapping of GaugeGroup to int
        Number of gauges that show stress, by group.
    of : mapping of GaugeGroup to int
        Number of gauges that were read, by group.
    missing : tuple of str
        Titles of gauges that could not be read, or are stale.
    fitted : str, optional
        Name of the regime that a model has fitted, such as that of Markov switching.
    probability : float, optional
        Probability of the fitted regime, in [0, 1].
    is_simulated : bool, default False
        Whether the figures are simulated.
    """

    as_of: dt.date
    phrase: str
    basis: tuple[str, ...]
    stress_share: float | None
    in_stress: Mapping[GaugeGroup, int]
    of: Mapping[GaugeGroup, int]
    missing: tuple[str, ...]
    fitted: str | None = None
    probability: float | None = None
    is_simulated: bool = False

    @property
    def level(self) -> str:
        """How many gauges show stress, in words: few, some (15 % or more) or many (40 % or more)."""
        if self.stress_share is None:
            return "no gauge can be read"
        if self.stress_share >= _MANY:
            return "many gauges in stress"
        return "some gauges in stress" if self.stress_share >= _SOME else "few gauges in stress"

    @property
    def reading(self) -> str:
        """The regime in one sentence."""
        parts = [self.phrase]
        if self.stress_share is None:
            parts.append(self.level)
        else:
            parts.append(f"{self.level} ({sum(self.in_stress.values())} of {sum(self.of.values())})")
        if self.fitted is not None:
            chance = "" if self.probability is None else f" with probability {self.probability:.0%}"
            parts.append(f"fitted regime {self.fitted}{chance}")
        return "; ".join(parts) + (" [simulated]" if self.is_simulated else "")

    def to_table(self) -> Table:
        """Return a table with a row for each group: gauges in stress, gauges read."""
        from bank_python.mntable import Table

        rows = [{"group": group.value, "in_stress": self.in_stress[group], "of": self.of[group]} for group in self.of]
        return Table.from_rows([("group", str), ("in_stress", int), ("of", int)], rows)

    def __rich__(self) -> object:
        from bank_python.render_macro import macro_regime_view

        return macro_regime_view(self)


@admits(MacroError)
def macro_regime(board: GaugeBoard, *, fitted: str | None = None, probability: float | None = None) -> MacroRegime:
    """Return the macro regime of a board of gauges.

    Parameters
    ----------
    board : GaugeBoard
        Readings of the gauges.
    fitted : str, optional
        Name of the regime that a model has fitted to returns or to a macro series.
    probability : float, optional
        Probability of the fitted regime, in [0, 1].

    Raises
    ------
    MacroError
        The probability is not in [0, 1], or has no regime.
    """
    if probability is not None and (fitted is None or not 0.0 <= probability <= 1.0):
        raise MacroError(
            f"probability={probability!r} of regime {fitted!r}; give a probability in [0, 1] and the regime's name",
            name="probability",
            value=probability,
        )
    counts = board.by_group
    stale = [f"{gauge.title} (stale)" for gauge in board.gauges if gauge.is_stale]
    return MacroRegime(
        as_of=board.as_of,
        phrase=board.quadrant.phrase,
        basis=(f"growth: {board.quadrant.growth_basis}", f"inflation: {board.quadrant.inflation_basis}"),
        stress_share=board.stress_share,
        in_stress={group: states[GaugeState.STRESS] for group, states in counts.items()},
        of={group: sum(states.values()) for group, states in counts.items()},
        missing=(*(gauge.title for gauge in board.missing), *stale),
        fitted=fitted,
        probability=probability,
        is_simulated=board.is_simulated,
    )
