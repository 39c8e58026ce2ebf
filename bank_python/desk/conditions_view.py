"""The market conditions of a desk as a view: read from one snapshot, in words and numbers that interfaces can show."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bank_python.dagger.outcome import Failure
from bank_python.desk.conditions import INDEX, MODEL
from bank_python.desk.view import ComponentView, ConditionsView, GaugeView

if TYPE_CHECKING:
    from bank_python.dagger import Snapshot
    from bank_python.desk.conditions import DeskConditions
    from bank_python.macro import GaugeBoard
    from bank_python.risk import RegimeFit, RiskScore

__all__ = ["conditions_view"]

_MODEL_NAME = f"{MODEL.upper()}, Student-t"
_REGIMES = ("calm", "turbulent")
_ONE_REGIME = "no two regimes"
_EVEN = 0.5
_POINTS = 100.0


def conditions_view(conditions: DeskConditions, snapshot: Snapshot, scores: tuple[float, ...]) -> ConditionsView | None:
    """Return the conditions at the tick of a snapshot; None if the score has no value.

    Parameters
    ----------
    conditions : DeskConditions
        Nodes of the conditions.
    snapshot : Snapshot
        Snapshot of the graph to read.
    scores : tuple of float
        Earlier scores, the latest last.
    """
    found = snapshot.outcome(conditions.score)
    if isinstance(found, Failure):
        return None
    score, board = cast("RiskScore", found), cast("GaugeBoard", snapshot[conditions.gauges])
    turbulence = cast("float", snapshot[conditions.regimes.turbulence])
    fit, turbulent = cast("RegimeFit", snapshot[conditions.regimes.fit]), turbulence > _EVEN
    lift = score.lift
    return ConditionsView(
        index=INDEX,
        vol=cast("float", snapshot[conditions.volatility.forecast]),
        vol_model=_MODEL_NAME,
        implied_vol=_implied(conditions, snapshot),
        regime=_REGIMES[turbulent] if fit.is_supported else _ONE_REGIME,
        turbulence=turbulence,
        regime_days=float(fit.durations[int(turbulent)]),
        gauges=tuple(GaugeView(gauge.title, gauge.reading, gauge.state.value) for gauge in board.gauges),
        score=score.value,
        grade=score.grade,
        components=_components(score),
        missing=score.missing,
        better_grade="" if lift is None else lift.grade,
        joint_fall=None if lift is None else lift.together,
        trail=(*scores, score.value),
        simulated=board.is_simulated,
    )


def _components(score: RiskScore) -> tuple[ComponentView, ...]:
    parts, lift = score.contributions, score.lift
    return tuple(
        ComponentView(
            name=name,
            score=value,
            weight=score.weights[name],
            contribution=parts[name],
            better_below=None if lift is None else lift.alone[name],
            readings=tuple(reading.text for reading in score.readings if reading.component == name),
        )
        for name, value in score.components.items()
    )


def _implied(conditions: DeskConditions, snapshot: Snapshot) -> float | None:
    """Return the quote of the volatility index as a decimal."""
    leaf = conditions.implied
    if leaf is None:
        return None
    found = snapshot.outcome(leaf)
    return None if isinstance(found, Failure) else cast("float", found) / _POINTS
