r"""The risk score of a portfolio and its market, from 0 (safe) to 10, and the grade that belongs to it.

The score is the weighted mean of five components, each from 0 to 10,

.. math:: S = \sum_i w_i s_i , \qquad \sum_i w_i = 1 ,

with the weights :data:`RISK_WEIGHTS`: market volatility 30 %, credit 25 %, liquidity 20 %, concentration 15 % and macro
regime 10 %. The grade is AAA below 2, A below 4, BB below 6, B below 8 and CCC from 8 on. How a component follows from
data is in :mod:`bank_python.risk.score_mapping`.

Examples
--------
>>> score = risk_score(market_vol=4.0, credit_risk=6.0, liquidity=2.0, concentration=8.0, macro_regime=5.0)
>>> score.value, score.grade, score.contributions["credit_risk"]
(4.8, 'BB', 1.5)
>>> {name: below if below is None else round(below, 2) for name, below in score.lift.alone.items()}["credit_risk"]
2.8
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import RiskError
from bank_python.plotting import Plotted, literal
from bank_python.results import Tabular
from bank_python.risk.score_mapping import ComponentScores, Reading
from bank_python.risk.score_scale import HIGHEST_SCORE
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from bank_python.mntable import Table

__all__ = ["RISK_GRADES", "RISK_WEIGHTS", "GradeLift", "RiskScore", "draw_grades", "risk_grade", "risk_score"]

RISK_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"market_vol": 0.30, "credit_risk": 0.25, "liquidity": 0.20, "concentration": 0.15, "macro_regime": 0.10}
)
"""Default weights of the components."""

RISK_GRADES: Mapping[str, float] = MappingProxyType({"AAA": 2.0, "A": 4.0, "BB": 6.0, "B": 8.0, "CCC": 10.0})
"""Upper end of each grade, the best first. A score at the upper end has the next grade; 10 is CCC."""

Given: TypeAlias = Any
"""A mapping or pandas series of component scores, or :class:`~bank_python.risk.ComponentScores`."""

_SHADES = ("tab:green", "yellowgreen", "gold", "tab:orange", "tab:red")
_ALIASES = {"credit": "credit_risk", "macro": "macro_regime"}
_ROUNDED = 1e-9  # weights are written with a few digits, not with sixteen
_PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class GradeLift(Record):
    """What would lift a score to the next better grade.

    Parameters
    ----------
    grade : str
        The next better grade.
    edge : float
        Score below which that grade begins.
    alone : dict of str to (float or None)
        Score below which each component would have to fall if all others stayed; None where even 0 would not be enough.
    together : float
        Smallest joint fall: if all components fell by more than this (none below 0), the grade would be reached; no
        lift with smaller falls exists.
    """

    grade: str
    edge: float
    alone: dict[str, float | None]
    together: float


@dataclass(frozen=True, repr=False)
class RiskScore(Plotted, Tabular):
    """A risk score with its grade and components; returned by :func:`risk_score`.

    Parameters
    ----------
    value : float
        Score in [0, 10], the weighted mean of the components.
    components : dict of str to float
        Score of each component in [0, 10].
    weights : dict of str to float
        Weight of each component; the weights sum to 1 to rounding.
    missing : tuple of str, optional
        Components without a score, whose weights are spread over the others.
    readings : tuple of Reading, optional
        Data from which the components follow, for display; empty if the components were given themselves.
    """

    value: float
    components: dict[str, float]
    weights: dict[str, float]
    missing: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()

    @property
    def score(self) -> float:
        """Score in [0, 10], the same as :attr:`value`."""
        return self.value

    @property
    def grade(self) -> str:
        """Grade of the score: AAA, A, BB, B or CCC."""
        return risk_grade(self.value)

    @property
    def contributions(self) -> dict[str, float]:
        """Weight times score of each component; their ``math.fsum`` is the score exactly."""
        parts = {name: self.weights[name] * value for name, value in self.components.items()}
        # Products are rounded. The largest takes up the difference, and the next one what is left of it by rounding.
        for name in sorted(parts, key=lambda name: -parts[name]):
            if math.fsum(parts.values()) == self.value:
                break
            others = sum((Fraction(part) for other, part in parts.items() if other != name), Fraction())
            parts[name] = float(Fraction(self.value) - others)
        return parts

    @property
    def lift(self) -> GradeLift | None:
        """What would lift the grade; None for the best one."""
        grades = list(RISK_GRADES)
        at = grades.index(self.grade)
        if not at:
            return None
        edge = RISK_GRADES[grades[at - 1]]
        gap = _exact(self.value) - _exact(edge)
        alone = {name: _below(value, self.weights[name], gap) for name, value in self.components.items()}
        return GradeLift(grades[at - 1], edge, alone, _joint_fall(self.components, self.weights, float(gap)))

    def to_table(self) -> Table:
        """Return a table with a row for each component: weight, score, contribution, score for a better grade."""
        from bank_python.mntable import Table

        lift, parts = self.lift, self.contributions
        rows = [
            {
                "component": name,
                "weight": self.weights[name],
                "score": value,
                "contribution": parts[name],
                "better_below": None if lift is None else lift.alone[name],
            }
            for name, value in self.components.items()
        ]
        schema = [("component", str), ("weight", float), ("score", float), ("contribution", float)]
        return Table.from_rows([*schema, ("better_below", float | None)], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the score of each component above its contribution to the score, on the bands of the grades."""
        draw_grades(axes, along="x")
        names = list(self.components)
        rows = range(len(names))
        axes.barh(rows, list(self.components.values()), height=0.65, color="0.75", edgecolor="0.3")
        axes.barh(rows, list(self.contributions.values()), height=0.65, color="0.3", hatch="///", edgecolor="white")
        for row, name in zip(rows, names, strict=True):
            said = f"{self.components[name]:.1f} × {self.weights[name]:.0%} = {self.contributions[name]:.2f}"
            axes.annotate(said, (0.15, row), va="center", fontsize="small", bbox=_LABEL)
        axes.axvline(self.value, color="black", linestyle="--")
        axes.set_yticks(rows, [literal(name) for name in names])
        axes.invert_yaxis()
        title = f"Risk score {self.value:.1f} of 10, grade {self.grade}"
        axes.set(xlabel="score of the component; hatched: contribution; dashed: total", title=title)

    def __rich__(self) -> object:
        from bank_python.render_score import risk_score_view

        return risk_score_view(self)


_LABEL = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}


@admits(RiskError)
def risk_grade(score: float) -> str:
    """Return the grade of a risk score: AAA below 2, A below 4, BB below 6, B below 8, CCC from 8 to 10.

    Parameters
    ----------
    score : float
        Risk score in [0, 10], 0 for no risk.

    Raises
    ------
    RiskError
        The score is no number from 0 to 10.

    Examples
    --------
    >>> [risk_grade(score) for score in (1.9999, 2, 4, 6, 8)]
    ['AAA', 'A', 'BB', 'B', 'CCC']
    """
    known = _checked("score", score)
    return next((grade for grade, end in RISK_GRADES.items() if known < end), "CCC")


@admits(RiskError, members=False)
def risk_score(
    components: Given = None,
    *,
    weights: Mapping[str, float] | None = None,
    missing: str = "refuse",
    **named: float | None,
) -> RiskScore:
    """Combine the scores of the components into one risk score with its grade.

    Parameters
    ----------
    components : mapping or series of str to float, or ComponentScores, optional
        Score of each component in [0, 10], 0 for no risk; None for a component that is not known. ``credit`` and
        ``macro`` are read as ``credit_risk`` and ``macro_regime``.
    weights : mapping of str to float, optional
        Weight of each component, at least 0, with a sum of 1; :data:`RISK_WEIGHTS` by default.
    missing : {"refuse", "renormalise"}, default "refuse"
        Treatment of components without a score: an error, or the mean over the others, which the result reports.
    **named : float or None
        Component scores by name, in place of a mapping: ``risk_score(market_vol=4, ...)``.

    Raises
    ------
    RiskError
        A component is unknown, given twice, missing, or no number from 0 to 10; the weights are negative or do not sum
        to 1; or no component with a weight is known.

    Examples
    --------
    >>> risk_score({"market_vol": 3.0, "liquidity": 5.0}, missing="renormalise").value
    3.8
    """
    if missing not in {"refuse", "renormalise"}:
        raise RiskError(f"missing={missing!r} is neither 'refuse' nor 'renormalise'", value=missing)
    shares = _checked_weights(RISK_WEIGHTS if weights is None else weights)
    given, readings = _collected(components, named)
    known = {name: _checked(name, given[name]) for name in shares if given.get(name) is not None}
    _require_known(given, shares)
    absent = tuple(name for name, share in shares.items() if share > 0.0 and name not in known)
    total = sum((_exact(shares[name]) for name in known), Fraction())
    if not total:
        raise RiskError("no component with a weight has a score; give at least one")
    if absent and missing == "refuse":
        verb = "is" if len(absent) == 1 else "are"
        raise RiskError(
            f"{', '.join(absent)} {verb} missing; give a score from 0 to 10, or missing='renormalise' for the mean of "
            "the other components",
            name=absent[0],
        )
    mean = sum((_exact(shares[name]) * _exact(value) for name, value in known.items()), Fraction()) / total
    used = {name: float(_exact(shares[name]) / total) for name in known}
    return RiskScore(float(mean), known, used, absent, tuple(item for item in readings if item.component in known))


def draw_grades(axes: Axes, along: str) -> None:
    """Shade the bands of the grades on axes, with scores from 0 to 10.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes to draw on.
    along : {"x", "y"}
        Axis that has the scores.
    """
    start = 0.0
    for (grade, end), shade in zip(RISK_GRADES.items(), _SHADES, strict=True):
        middle = 0.5 * (start + end)
        if along == "x":
            axes.axvspan(start, end, color=shade, alpha=0.25, linewidth=0)
            axes.text(middle, 1.0, grade, transform=axes.get_xaxis_transform(), ha="center", va="top")
        else:
            axes.axhspan(start, end, color=shade, alpha=0.25, linewidth=0)
            axes.text(1.0, middle, grade, transform=axes.get_yaxis_transform(), ha="right", va="center")
        start = end
    axes.set(**{f"{along}lim": (0.0, HIGHEST_SCORE)})


def _checked(name: str, value: Any) -> float:
    """Return a score as a float if it is a number from 0 to 10."""
    if isinstance(value, bool | np.bool_) or not hasattr(value, "__float__") or np.ndim(value):
        raise RiskError(f"{name}={value!r} is not a number; give a score from 0 to 10", name=name, value=value)
    known = float(value)
    if 0.0 <= known <= HIGHEST_SCORE:
        return known
    if HIGHEST_SCORE < known <= _PERCENT:
        raise RiskError(
            f"{name}={known!r} is above 10; a score on a scale from 0 to 100 is divided by ten: {known / 10.0:g}",
            name=name,
            value=known,
        )
    raise RiskError(f"{name}={known!r} is not in [0, 10]; give a score from 0 (safe) to 10", name=name, value=known)


def _checked_weights(weights: Mapping[str, float]) -> dict[str, float]:
    given, _ = _collected(weights, {})
    for name, weight in given.items():
        wrong = isinstance(weight, bool | np.bool_) or not hasattr(weight, "__float__") or np.ndim(weight)
        if wrong or not 0.0 <= float(weight) < math.inf:
            raise RiskError(f"the weight of {name} is {weight!r}; give a number of at least 0", name=name, value=weight)
    total = math.fsum(given.values())
    if abs(total - 1.0) > _ROUNDED:
        raise RiskError(f"the weights sum to {total:.6g}; divide each by that, so that they sum to 1", value=total)
    return {name: float(weight) for name, weight in given.items()}


def _collected(components: Any, named: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Reading, ...]]:
    """Return what was given by name, with the names of this library, and the data behind it."""
    readings = components.readings if isinstance(components, ComponentScores) else ()
    if isinstance(components, ComponentScores):
        components = components.scores
    if components is not None and not hasattr(components, "items"):
        raise RiskError(
            f"components={components!r:.60} is not a mapping; give {{'market_vol': 4.0, ...}} or scores by name",
            value=components,
        )
    found: dict[str, Any] = {}
    for name, value in [*(() if components is None else components.items()), *named.items()]:
        ours = _ALIASES.get(name, name)
        if ours in found:
            raise RiskError(f"{ours} is given twice; give it once", name=ours)
        found[ours] = value
    return found, readings


def _require_known(given: Mapping[str, Any], shares: Mapping[str, float]) -> None:
    for name in given:
        if name not in shares:
            others = f"the components are {', '.join(shares)}"
            raise RiskError(f"no component {name!r}; {did_you_mean(name, shares, others)}", name=str(name))


@lru_cache(maxsize=4096)  # a history has the same weights in each row
def _exact(value: float) -> Fraction:
    """Return the decimal that a float is written as, so that a mean of equal scores is that score, and 4.8 is 4.8."""
    return Fraction(repr(value))


def _below(value: float, weight: float, gap: Fraction) -> float | None:
    """Return the score below which a component has to fall to close the gap; None if that is not above 0."""
    below = _exact(value) - gap / _exact(weight) if weight > 0.0 else Fraction(-1)
    return float(below) if below > 0 else None


def _joint_fall(components: Mapping[str, float], weights: Mapping[str, float], gap: float) -> float:
    """Return the d with ``sum(w * min(d, s)) = gap``: the equal fall of all components, none below 0."""
    fall, closed, left = 0.0, 0.0, math.fsum(weights.values())
    for name in sorted(components, key=lambda name: components[name]):
        step = (components[name] - fall) * left
        if closed + step >= gap:
            break
        fall, closed, left = components[name], closed + step, left - weights[name]
    return fall + (gap - closed) / left if gap > closed else fall
