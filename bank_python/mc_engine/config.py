"""Configuration of a Monte Carlo simulation."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from bank_python.deprecation import also_called, renamed
from bank_python.display import Record
from bank_python.errors import SimulationError
from bank_python.guessing import guessable
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
    """Joint distribution of the factors' moves; see :mod:`bank_python.mc_engine.samplers`."""

    GBM = "gbm"
    HESTON = "heston"
    MERTON = "merton"
    STUDENT_T = "student_t"
    BOOTSTRAP = "bootstrap"


class Sampling(enum.Enum):
    """Sampling method for the normal random numbers.

    Antithetic pairs and moment matching reduce the error of means. A value at risk at 99 % is a quantile, for which
    they make no measurable difference.
    """

    PLAIN = "plain"
    ANTITHETIC = "antithetic"
    MOMENT_MATCHED = "moment_matched"


class Revaluation(enum.Enum):
    """Valuation of the holdings in a scenario: by their own ``price``, or by first and second derivatives."""

    FULL = "full"
    DELTA_GAMMA = "delta_gamma"


@dataclass(frozen=True, kw_only=True)
class _Settings:
    """Checked fields of a configuration, with enumerations in place of names."""

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


class MCConfig(_Settings, Record):
    """Configuration of a simulation: scenarios, model, horizon, and what is computed beside the P&L.

    Parameters
    ----------
    n_paths : int, default 100,000
        Number of scenarios, at least 2.
    model : Model or {"gbm", "heston", "merton", "student_t", "bootstrap"}, default "gbm"
        Joint distribution of the factors' moves.
    random_seed : int, default 0
        Seed of the random numbers, at least 0; also ``seed=``. The same seed and `chunk` give bitwise identical results
        with every executor.
    horizon : float, default 1/252
        Length of the simulated period in years, above 0 and at most 3; the default is one trading day, and ten trading
        days are 10/252.
    n_steps : int, default 1
        Time steps to the horizon in Heston's model, at least 1. The other models are drawn exactly in a single step.
    dtype : {"float64", "float32"}, default "float64"
        Floating-point type of the factor levels and the P&L. ``"float32"`` halves time and memory; its rounding error
        is far below the sampling error.
    chunk : int, default 4,096
        Number of scenarios drawn from one seed, at least 2. Another chunk size gives other random numbers.
    sampling : Sampling or {"plain", "antithetic", "moment_matched"}, default "plain"
        Sampling method for the normal random numbers.
    revaluation : Revaluation or {"full", "delta_gamma"}, default "full"
        Valuation of the holdings in each scenario: full revaluation, or a second-order approximation.
    roll_clock : bool, default False
        Whether the valuation date moves to the horizon, so that the P&L includes time decay.
    stresses : tuple of str, optional
        Keys of :data:`~bank_python.risk.STRESS_SCENARIOS` to run; by default the eight of
        :data:`~bank_python.risk.REFERENCE_STRESSES`, ``()`` for none.
    stress_betas : Betas or {"stated", "regressed"}, default "stated"
        Betas of shares to the share index in the stress tests: the stated ones, as in
        :func:`~bank_python.risk.run_stresses`, or those implied by the factor model.
    validate_greeks : bool, default True
        Whether the options' Greeks are also estimated by simulation and compared with their closed forms.
    executor : concurrent.futures.Executor, optional
        Executor that runs the chunks, such as a process pool or a cluster client; by default a new pool of one thread
        per core. An executor passed in is not shut down.
    progress : callable, optional
        Function called after each chunk with the number of finished chunks and their total.
    cancel : threading.Event, optional
        Event that cancels the simulation once it is set.
    factor_model : FactorModel, optional
        Factor model of this run; by default the engine's.

    Raises
    ------
    SimulationError
        A setting is out of range or unknown; the message names it.
    """

    @renamed(law="factor_model")
    @also_called(seed="random_seed")
    @guessable
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
        """Time in years by which the valuation date moves: the horizon if `roll_clock` is set, else 0."""
        return self.horizon if self.roll_clock else 0.0


def _choice(name: str, kind: type[_Choice], value: object, without: _Choice | None = None) -> _Choice:
    allowed = {item.value: item for item in kind if item is not without}
    key = value.value if isinstance(value, kind) else value
    chosen = allowed.get(key) if isinstance(key, str) else None
    if chosen is None:
        known = ", ".join(repr(item) for item in allowed)
        raise SimulationError(f"{name}={value!r}; choose one of {known}", value=value)
    return chosen


_LONGEST_HORIZON = 3.0
"""Horizon in years above which a number is taken for days: positions are held unchanged to the horizon."""


def _horizon(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating) or not 0.0 < value < math.inf:
        raise SimulationError(
            f"horizon={value!r} is not a number of years above 0; a trading day is 1/252", value=value
        )
    if value > _LONGEST_HORIZON:
        raise SimulationError(
            f"horizon={value!r} is in years, and above {_LONGEST_HORIZON:g}; {value:g} trading days are {value:g}/252",
            value=value,
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
