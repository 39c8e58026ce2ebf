"""What a simulation is asked to do."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from bank_python.deprecation import also_called, renamed
from bank_python.errors import SimulationError
from bank_python.risk.stress_mapping import Betas

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from concurrent.futures import Executor

    from bank_python.mc_engine.factor_model import FactorModel

__all__ = ["MCConfig", "Model", "Revaluation", "Sampling"]

_Choice = TypeVar("_Choice", bound=enum.Enum)

DAY = 1.0 / 252.0


class Model(enum.Enum):
    """Model by which the factors move; see :mod:`bank_python.mc_engine.samplers`."""

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


@dataclass(frozen=True, kw_only=True)
class _Settings:
    """The fields of a configuration, as they are kept."""

    n_paths: int
    model: Model
    random_seed: int
    horizon: float
    n_steps: int
    dtype: str
    chunk: int
    sampling: Sampling
    revaluation: Revaluation
    roll_clock: bool
    stresses: tuple[str, ...] | None
    stress_betas: Betas
    validate_greeks: bool
    executor: Executor | None = field(repr=False)
    progress: Callable[[int, int], object] | None = field(repr=False)
    cancel: threading.Event | None = field(repr=False)
    factor_model: FactorModel | None = field(repr=False)


class MCConfig(_Settings):
    """How to simulate.

    Parameters
    ----------
    n_paths : int, default 100,000
        Scenarios, at least 2.
    model : Model or {"gbm", "heston", "merton", "student_t", "bootstrap"}, default "gbm"
        The factor model.
    random_seed : int, default 0
        Also ``seed=``. The same seed gives the same numbers, to the bit, whatever executes it.
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
    factor_model : FactorModel, optional
        By default the engine's.

    Raises
    ------
    SimulationError
        A figure makes no sense; the message names it.
    """

    @renamed(law="factor_model")
    @also_called(seed="random_seed")
    def __init__(
        self,
        *,
        n_paths: int = 100_000,
        model: Model | str = Model.GBM,
        random_seed: int = 0,
        horizon: float = DAY,
        n_steps: int = 1,
        dtype: object = "float64",
        chunk: int = 4_096,
        sampling: Sampling | str = Sampling.PLAIN,
        revaluation: Revaluation | str = Revaluation.FULL,
        roll_clock: bool = False,
        stresses: tuple[str, ...] | None = None,
        stress_betas: Betas | str = Betas.STATED,
        validate_greeks: bool = True,
        executor: Executor | None = None,
        progress: Callable[[int, int], object] | None = None,
        cancel: threading.Event | None = None,
        factor_model: FactorModel | None = None,
    ) -> None:
        super().__init__(
            n_paths=_whole("n_paths", n_paths, 2),
            model=_choice("model", Model, model),
            random_seed=_whole("random_seed", random_seed, 0),
            horizon=_horizon(horizon),
            n_steps=_whole("n_steps", n_steps, 1),
            dtype=_dtype(dtype),
            chunk=_whole("chunk", chunk, 2),
            sampling=_choice("sampling", Sampling, sampling),
            revaluation=_choice("revaluation", Revaluation, revaluation),
            roll_clock=roll_clock,
            stresses=stresses,
            stress_betas=_choice("stress_betas", Betas, stress_betas, without=Betas.GIVEN),
            validate_greeks=validate_greeks,
            executor=executor,
            progress=progress,
            cancel=cancel,
            factor_model=factor_model,
        )

    @property
    def years_passed(self) -> float:
        """By how much the clock moves on."""
        return self.horizon if self.roll_clock else 0.0


def _choice(name: str, kind: type[_Choice], value: object, without: _Choice | None = None) -> _Choice:
    allowed = {item.value: item for item in kind if item is not without}
    wanted = value.value if isinstance(value, kind) else value
    chosen = allowed.get(wanted) if isinstance(wanted, str) else None
    if chosen is None:
        known = ", ".join(repr(item) for item in allowed)
        raise SimulationError(f"{name}={value!r}; choose one of {known}", value=value)
    return chosen


def _horizon(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating) or not 0.0 < value < math.inf:
        raise SimulationError(
            f"horizon={value!r} is not a number of years above 0; a trading day is 1/252", value=value
        )
    return float(value)


def _dtype(value: object) -> str:
    named = str(getattr(value, "__name__", value))
    if named not in {"float64", "float32"}:
        raise SimulationError(f"dtype={value!r}; choose float64 or float32", value=value)
    return named


def _whole(name: str, value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise SimulationError(f"{name}={value!r} is not a whole number of at least {least}", name=name, value=value)
    return int(value)
