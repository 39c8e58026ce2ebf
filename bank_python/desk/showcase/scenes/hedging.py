"""Delta hedging at intervals: what it leaves over under thin and fat tails, and two paths of a textbook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.taleb import HedgingErrorSimulator, hull_paths

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage

_PATHS = 20_000
_PRINTED = (263_300, 256_600)


@scene("TALEB: HEDGING ERRORS")
def hedging_errors(stage: Stage) -> SceneResult:  # noqa: ARG001 - a scene of the library, not of the desk
    """Hedge a one-year call daily under a Gaussian, a Student and a power law of the same variance."""
    simulator = HedgingErrorSimulator(spot=100.0, strike=100.0, vol=0.20, T=1.0, n_steps=252)
    results = simulator.compare_all(n_paths=_PATHS, seed=42)
    facts = [
        {
            "distribution": found.distribution,
            "std_error": found.std_error,
            "mad": found.mad,
            "kurtosis": found.kurtosis,
            "var_95": found.var_95,
            "es_99": found.es_99,
            "worst": found.worst,
        }
        for found in results
    ]
    return SceneResult({"premium": simulator.premium, "results": facts}, [results])


@scene("HEDGING — Hull's two paths")
def hulls_paths(stage: Stage) -> SceneResult:  # noqa: ARG001 - a scene of the library, not of the desk
    """Hedge a sold call weekly along the two paths of Hull's book, at the exact cost of their prices."""
    replays = hull_paths()
    facts = [
        {"exercised": replay.exercised, "cost": replay.cost, "printed": printed}
        for replay, printed in zip(replays, _PRINTED, strict=True)
    ]
    said = [
        f"Cost of the hedge {replay.cost:,.0f}; printed {printed:,}."
        for replay, printed in zip(replays, _PRINTED, strict=True)
    ]
    return SceneResult({"paths": facts}, [replays[0], said[0], replays[1], said[1]])
