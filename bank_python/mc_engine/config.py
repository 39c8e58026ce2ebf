"""What a simulation is asked to do."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import SimulationError
from bank_python.risk.stress_mapping import Betas

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from concurrent.futures import Executor

    from bank_python.mc_engine.factor_law import FactorLaw

__all__ = ["MCConfig", "Model", "Revaluation", "Sampling"]

DAY = 1.0 / 252.0


class Model(enum.Enum):
    """By which law the factors move; see :mod:`bank_python.mc_engine.samplers`."""

    GBM = "gbm"
    HESTON = "heston"
    MERTON = "merton"
    STUDENT_T = "student_t"
    BOOTSTRAP = "bootstrap"


class Sampling(enum.Enum):
    """How normals are drawn.

    Antithetic pairs and matched moments make means more precise. A value at risk at 99 % is no mean: for it they do
    nothing that could be measured, and are offered because they are asked for.
    """

    PLAIN = "plain"
    ANTITHETIC = "antithetic"
    MOMENT_MATCHED = "moment_matched"


class Revaluation(enum.Enum):
    """How the holdings are valued in a scenario: by their own ``price``, or by first and second derivatives."""

    FULL = "full"
    DELTA_GAMMA = "delta_gamma"


@dataclass(frozen=True, slots=True, kw_only=True)
class MCConfig:
    """How to simulate.

    Parameters
    ----------
    n_paths : int, default 100,000
        Scenarios, at least 2.
    model : Model or {"gbm", "heston", "merton", "student_t", "bootstrap"}, default "gbm"
        The law of the factors.
    random_seed : int, default 0
        The same seed gives the same numbers, to the bit, whatever executes it.
    horizon : float, default 1/252
        Years from now, above 0: a trading day.
    n_steps : int, default 1
        Of the path to the horizon, for models that have one: Heston; the others are drawn exactly in one.
    dtype : {"float64", "float32"}, default "float64"
        In which factors are drawn and P&L is added up. Singles halve time and memory, and change nothing that the
        number of paths does not change more.
    chunk : int, default 4,096
        Scenarios drawn from one seed of their own; part of what `random_seed` means.
    sampling : Sampling or {"plain", "antithetic", "moment_matched"}, default "plain"
        How normals are drawn.
    revaluation : Revaluation or {"full", "delta_gamma"}, default "full"
        How holdings are valued.
    roll_clock : bool, default False
        Whether time passes too, so that P&L has the horizon's decay in it.
    stresses : tuple of str, optional
        Keys of :data:`~bank_python.risk.STRESS_SCENARIOS`; by default the reference's eight; ``()`` for none.
    stress_betas : Betas or {"stated", "regressed"}, default "stated"
        Which betas to the share index shares have in the stresses: those of the rules, so that a key has the answer
        that :func:`~bank_python.risk.run_stresses` gives, or those of the factor model.
    validate_greeks : bool, default True
        Whether the options' Greeks are simulated beside their closed forms.
    executor : concurrent.futures.Executor, optional
        What runs the chunks: threads (the default, one a core), processes, a cluster. It is not shut down.
    progress : callable, optional
        Called with the chunks done and their number.
    cancel : threading.Event, optional
        Set it to break off.
    law : FactorLaw, optional
        By default the engine's.

    Raises
    ------
    SimulationError
        A figure makes no sense; the message names it.
    """

    n_paths: int = 100_000
    model: Model | str = Model.GBM
    random_seed: int = 0
    horizon: float = DAY
    n_steps: int = 1
    dtype: str = "float64"
    chunk: int = 4_096
    sampling: Sampling | str = Sampling.PLAIN
    revaluation: Revaluation | str = Revaluation.FULL
    roll_clock: bool = False
    stresses: tuple[str, ...] | None = None
    stress_betas: Betas | str = Betas.STATED
    validate_greeks: bool = True
    executor: Executor | None = field(default=None, repr=False)
    progress: Callable[[int, int], object] | None = field(default=None, repr=False)
    cancel: threading.Event | None = field(default=None, repr=False)
    law: FactorLaw | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name, kind in (("model", Model), ("sampling", Sampling), ("revaluation", Revaluation)):
            object.__setattr__(self, name, _choice(name, kind, getattr(self, name)))
        object.__setattr__(self, "stress_betas", _choice("stress_betas", Betas, self.stress_betas, without=Betas.GIVEN))
        for name, least in (("n_paths", 2), ("random_seed", 0), ("n_steps", 1), ("chunk", 2)):
            _whole(name, getattr(self, name), least)
        if not isinstance(self.horizon, int | float | np.floating) or not 0.0 < self.horizon < math.inf:  # type: ignore[redundant-expr]  # checked for untyped callers
            raise SimulationError(
                f"horizon={self.horizon!r} is not a number of years above 0; a trading day is 1/252", value=self.horizon
            )
        named = getattr(self.dtype, "__name__", str(self.dtype))
        if named not in {"float64", "float32"}:
            raise SimulationError(f"dtype={self.dtype!r}; choose float64 or float32", value=self.dtype)
        object.__setattr__(self, "dtype", named)

    @property
    def years_passed(self) -> float:
        """By how much the clock moves on."""
        return self.horizon if self.roll_clock else 0.0


def _choice(name: str, kind: type[enum.Enum], value: object, without: enum.Enum | None = None) -> enum.Enum:
    allowed = {item.value: item for item in kind if item is not without}
    wanted = value.value if isinstance(value, kind) else value
    chosen = allowed.get(wanted) if isinstance(wanted, str) else None
    if chosen is None:
        known = ", ".join(repr(item) for item in allowed)
        raise SimulationError(f"{name}={value!r}; choose one of {known}", value=value)
    return chosen


def _whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise SimulationError(f"{name}={value!r} is not a whole number of at least {least}", name=name, value=value)
