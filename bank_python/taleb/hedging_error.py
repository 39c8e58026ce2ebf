r"""What delta hedging leaves over when it is done at intervals, in worlds with thin and with fat tails.

A seller of a call receives the Black–Scholes premium and holds the Black–Scholes delta, adjusted n times. Where steps
are lognormal, what remains has a standard deviation of about

.. math:: \sqrt{\frac\pi4}\,\frac{\sigma}{\sqrt n}\,\mathrm{vega}

(Derman and Kamal), which vanishes as he hedges more often. Where they have fat tails it does not: a jump between two
rebalancings cannot be hedged, however short the interval. The laws are comparable: all are martingales, with the
variance, or the mean absolute deviation, of the Gaussian with the volatility given
(:mod:`bank_python.taleb.hedge_laws`, :mod:`bank_python.taleb.diffusion_laws`).

All errors are the seller's losses: payoff less premium less the gain of the hedge, positive where he loses. By put–call
parity the errors of a put are the same.

Examples
--------
>>> simulator = HedgingErrorSimulator(spot=100.0, strike=100.0, vol=0.2, T=1 / 12, n_steps=20)
>>> gaussian, student, power = simulator.compare_all(n_paths=20_000, seed=42)
>>> round(simulator.theoretical_std, 3), round(gaussian.std_error, 2)
(0.456, 0.44)
>>> gaussian.var_99 < student.var_99 < power.var_99
True

References
----------
E. Derman and M. Kamal, "When you cannot hedge continuously: the corrections of Black–Scholes", Goldman Sachs
Quantitative Strategies Research Notes (1999).

N. N. Taleb, *Statistical Consequences of Fat Tails* (2020), on the failure of dynamic hedging.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.deprecation import also_called
from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.numerics.ranges import number_in_range
from bank_python.risk_models.black_scholes import black_scholes_greeks, black_scholes_price
from bank_python.risk_models.heston_process import HestonProcess
from bank_python.risk_models.merton import MertonJumpDiffusion
from bank_python.taleb.diffusion_laws import GaussianLaw, JumpLaw, StochasticVolLaw
from bank_python.taleb.hedge_errors import HedgeComparison, HedgeErrors, measures_of
from bank_python.taleb.hedge_law import HedgeLaw, Scaling
from bank_python.taleb.hedge_laws import ArithmeticLaw, arithmetic_law
from bank_python.taleb.hedge_run import HedgeRun
from bank_python.taleb.hedge_shrinkage import HedgeShrinkage, shrinkage_of
from bank_python.wording import near_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.taleb.hedge_law import StepLaw

__all__ = ["HedgingErrorSimulator"]

_FEW_PATHS = 1_000
"""Number of paths below which fewer than ten are beyond the 99 % quantile, which is said."""
_FEWEST_PATHS = 2
_FEWEST_POINTS = 2  # of a slope
_MOST_GROWTH = 300.0
"""Largest logarithm of a growth: its exponential, times the moves of a path, is far from an overflow."""
_JUMPS_A_YEAR = 12.0
_SHARE_OF_JUMPS = 0.5
"""Default share of the variance that comes from jumps, and their number: one a month, of 20 % of the volatility."""
_REVERSION, _FELLER, _LEVERAGE = 4.0, 0.9, -0.7
"""Default Heston model: speed, share of the largest volatility of variance that keeps it positive, correlation."""
_FOURTH, _SECOND = 4.0, 2.0
"""Tail indices at and below which there is no fourth and no second moment."""
_COMPARED = (HedgeLaw.GAUSSIAN, HedgeLaw.STUDENT_T, HedgeLaw.POWER_LAW)


@dataclass(frozen=True)
class _Hedge:
    """Checked fields of a simulator."""

    spot: float
    strike: float
    vol: float
    T: float
    n_steps: int
    rate: float
    drift: float | None
    hedge_vol: float | None
    round_trip_cost: float


class HedgingErrorSimulator(_Hedge, Record):
    """A call that is sold and hedged at intervals, to be simulated under laws of different tails.

    Parameters
    ----------
    spot : float, default 100.0
        Price of the underlying at the start, above 0; also ``S0=``.
    strike : float, default 100.0
        Strike, above 0; also ``K=``.
    vol : float, default 0.2
        Annual volatility, above 0, of the premium, of the deltas and of the moves; also ``sigma=``.
    T : float, default 1/12
        Years to expiry, above 0.
    n_steps : int, default 20
        Number of rebalancings at equal intervals, the first at the start, at least 1.
    rate : float, default 0.0
        Continuously compounded rate at which cash earns and the premium is computed.
    drift : float, optional
        Expected growth of the price per year, as a log; by default `rate`, at which the discounted price is a
        martingale.
    hedge_vol : float, optional
        Volatility of premium and deltas where they are not to be those of the moves; by default `vol`.
    round_trip_cost : float, default 0.0
        Cost of buying and selling again, as a fraction of the value, in [0, 1]; each rebalancing pays half of it.
        Opening and closing the hedge is free.

    Raises
    ------
    ModelError
        An argument is out of range; the message names it.

    Examples
    --------
    >>> HedgingErrorSimulator(S0=100, K=100, sigma=0.2, T=1 / 12, n_steps=20).premium.__round__(4)
    2.303
    """

    @also_called(S0="spot", K="strike", sigma="vol")
    @admits(ModelError)
    def __init__(
        self,
        spot: float = 100.0,
        strike: float = 100.0,
        vol: float = 0.2,
        T: float = 1.0 / 12.0,
        n_steps: int = 20,
        *,
        rate: float = 0.0,
        drift: float | None = None,
        hedge_vol: float | None = None,
        round_trip_cost: float = 0.0,
    ) -> None:
        above = {"spot": spot, "strike": strike, "vol": vol, "T": T}
        S, K, sigma, years = (number_in_range(name, value, ModelError, above=0.0) for name, value in above.items())
        number_in_range("n_steps", n_steps, ModelError, least=1)
        cost = number_in_range(
            "round_trip_cost",
            round_trip_cost,
            ModelError,
            least=0.0,
            most=1.0,
            hint="give a fraction: 0.01 for 1 per cent",
        )
        growth = None if drift is None else number_in_range("drift", drift, ModelError)
        other = None if hedge_vol is None else number_in_range("hedge_vol", hedge_vol, ModelError, above=0.0)
        r = number_in_range("rate", rate, ModelError)
        _require_no_overflow("rate", r, years)
        _require_no_overflow("drift", r if growth is None else growth, years)
        super().__init__(S, K, sigma, years, int(n_steps), r, growth, other, cost)

    @property
    def premium(self) -> float:
        """Premium received: the Black–Scholes price at the volatility of the hedge."""
        return float(black_scholes_price(self.spot, self.strike, self.T, self.rate, self._hedged_at))

    @property
    def theoretical_std(self) -> float:
        """Standard deviation of the error with lognormal steps, to leading order in 1/n (Derman and Kamal)."""
        greeks = black_scholes_greeks(self.spot, self.strike, self.T, self.rate, self._hedged_at)
        return math.sqrt(0.25 * math.pi / self.n_steps) * float(greeks.vega) * self.vol

    @admits(ModelError)
    def simulate(
        self,
        distribution: HedgeLaw | str = HedgeLaw.GAUSSIAN,
        n_paths: int = 10_000,
        df: float = 3.0,
        alpha: float = 3.0,
        seed: int | None = None,
        *,
        scaling: Scaling | str | None = None,
        jumps: MertonJumpDiffusion | None = None,
        heston: HestonProcess | None = None,
    ) -> HedgeErrors:
        """Simulate the hedge under a law.

        Parameters
        ----------
        distribution : HedgeLaw or str, default "gaussian"
            Law: ``gaussian``, ``student_t``, ``power_law``, ``jumps`` or ``stochastic_vol``.
        n_paths : int, default 10,000
            Number of paths, at least 2.
        df : float, default 3
            Degrees of freedom of Student's t, above 1.
        alpha : float, default 3.0
            Tail index of the power law, above 1.
        seed : int, optional
            Seed of the random numbers, at least 0; by default they differ from call to call.
        scaling : Scaling or str, optional
            Measure of size in which heavy-tailed returns equal Gaussian ones: ``variance`` or ``mad``, the mean
            absolute deviation; by default the variance, or where there is none, the mean absolute deviation.
        jumps : MertonJumpDiffusion, optional
            Process of ``jumps``, taken as it is; by default monthly jumps of mean zero that make up half of the
            variance.
        heston : HestonProcess, optional
            Process of ``stochastic_vol``, taken as it is; by default one whose expected variance is that of `vol`.

        Returns
        -------
        HedgeErrors
            Errors of all paths, as losses of the seller, and their measures.

        Raises
        ------
        ModelError
            An argument is out of range, or belongs to another law.
        SimulationError
            The steps are too long for the Heston process.

        Examples
        --------
        >>> found = HedgingErrorSimulator(n_steps=5).simulate("power_law", n_paths=1_000, alpha=1.5, seed=1)
        >>> found.scaling.value, len(found.errors)
        ('mad', 1000)
        """
        number_in_range("n_paths", n_paths, ModelError, least=_FEWEST_PATHS)
        if seed is not None:
            number_in_range("seed", seed, ModelError, least=0)
        kind, chosen = _law_named(distribution), _scaling_named(scaling)
        _require_fit(kind, chosen, jumps, heston)
        law = self._law(kind, df if kind is HedgeLaw.STUDENT_T else alpha, chosen, jumps, heston)
        entropy = np.random.SeedSequence(None if seed is None else int(seed)).entropy
        run = HedgeRun(
            law=law,
            strike=self.strike * math.exp(-self.rate * self.T) / self.spot,
            premium=self.premium / self.spot,
            vol=self._hedged_at,
            expiry=self.T,
            n_steps=self.n_steps,
            cost=0.5 * self.round_trip_cost,
            n_paths=int(n_paths),
            entropy=int(entropy),  # type: ignore[arg-type]  # of one seed
        )
        return self._result(kind, law, run)

    @admits(ModelError)
    def compare_all(
        self,
        n_paths: int = 10_000,
        seed: int | None = 42,
        *,
        df: float = 3.0,
        alpha: float = 3.0,
        scaling: Scaling | str | None = None,
    ) -> HedgeComparison:
        """Simulate the hedge under the Gaussian law, Student's t and the power law, in that order.

        Parameters
        ----------
        n_paths, seed, df, alpha
            Settings, as for :meth:`simulate`.
        scaling : Scaling or str, optional
            Measure of size in which all are equal; by default the variance, or where one of them has none, the mean
            absolute deviation for all.

        Returns
        -------
        HedgeComparison
            A list of three results.
        """
        chosen = _scaling_named(scaling) or (Scaling.VARIANCE if min(df, alpha) > _SECOND else Scaling.MAD)
        return HedgeComparison(self.simulate(kind, n_paths, df, alpha, seed, scaling=chosen) for kind in _COMPARED)

    @admits(ModelError)
    def shrinkage(
        self,
        distribution: HedgeLaw | str = HedgeLaw.GAUSSIAN,
        n_steps: Sequence[int] = (5, 10, 20, 40, 80, 160),
        n_paths: int = 10_000,
        df: float = 3.0,
        alpha: float = 3.0,
        seed: int | None = 42,
        *,
        scaling: Scaling | str | None = None,
    ) -> HedgeShrinkage:
        """Simulate the hedge at several numbers of rebalancings, to see how its error shrinks with them.

        Parameters
        ----------
        distribution, n_paths, df, alpha, seed, scaling
            Settings, as for :meth:`simulate`.
        n_steps : sequence of int
            Numbers of rebalancings, at least two different ones.

        Returns
        -------
        HedgeShrinkage
            Measures at each number, and the exponent of a power of it fitted to each measure: −1/2 where hedging more
            often helps as Black and Scholes have it.

        Raises
        ------
        ModelError
            An argument is out of range, or there are fewer than two different numbers.
        """
        if len(set(n_steps)) < _FEWEST_POINTS:
            raise ModelError(f"n_steps={list(n_steps)!r}: give at least two different numbers", name="n_steps")
        counts = sorted(set(n_steps))
        results = [
            replace(self, n_steps=count).simulate(distribution, n_paths, df, alpha, seed, scaling=scaling)
            for count in counts
        ]
        return shrinkage_of(results)

    @property
    def _hedged_at(self) -> float:
        return self.vol if self.hedge_vol is None else self.hedge_vol

    def _law(
        self,
        kind: HedgeLaw,
        tail: float,
        scaling: Scaling | None,
        jumps: MertonJumpDiffusion | None,
        heston: HestonProcess | None,
    ) -> StepLaw:
        step = self.T / self.n_steps
        drift = 0.0 if self.drift is None else (self.drift - self.rate) * step
        deviation = self.vol * math.sqrt(step)
        if kind is HedgeLaw.GAUSSIAN:
            return GaussianLaw(deviation, drift)
        if kind is HedgeLaw.JUMPS:
            return JumpLaw(jumps or _jumps_of(self.vol), step, drift)
        if kind is HedgeLaw.STOCHASTIC_VOL:
            return StochasticVolLaw(heston or _heston_of(self.vol), step, drift)
        return arithmetic_law(kind, tail, deviation, scaling, drift)

    def _result(self, kind: HedgeLaw, law: StepLaw, run: HedgeRun) -> HedgeErrors:
        found = run.simulate()
        errors = found.errors
        errors *= self.spot
        errors.flags.writeable = False
        return HedgeErrors(
            distribution=kind.value,
            errors=errors,
            measures=measures_of(errors),
            scaling=law.scaling if isinstance(law, ArithmeticLaw) else None,
            law_words=law.said,
            spot=self.spot,
            strike=self.strike,
            vol=self.vol,
            expiry=self.T,
            n_steps=self.n_steps,
            rate=self.rate,
            premium=self.premium,
            mean_cost=self.spot * float(found.costs.mean()) if len(found.costs) else 0.0,
            absorbed=found.absorbed,
            notes=_notes(law, found.absorbed, len(errors)),
            run=run,
        )


def _require_no_overflow(name: str, rate: float, years: float) -> None:
    if abs(rate * years) > _MOST_GROWTH:
        raise ModelError(
            f"{name}={rate:g} over {years:g} years is a factor of e^{rate * years:g}, which leaves the range of "
            f"numbers; give {name} as a fraction per year, 0.05 for 5 %",
            name=name,
            value=rate,
        )


def _law_named(name: HedgeLaw | str) -> HedgeLaw:
    known = [each.value for each in HedgeLaw]
    if isinstance(name, HedgeLaw) or name in known:
        return HedgeLaw(name)
    near = near_names(name, known, most=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise ModelError(
        f"distribution={name!r} is unknown; {hint}choose one of {', '.join(known)}", name="distribution", value=name
    )


def _scaling_named(name: Scaling | str | None) -> Scaling | None:
    known = [each.value for each in Scaling]
    if name is None or isinstance(name, Scaling) or name in known:
        return None if name is None else Scaling(name)
    raise ModelError(f"scaling={name!r} is unknown; choose {' or '.join(known)}", name="scaling", value=name)


def _require_fit(
    kind: HedgeLaw, scaling: Scaling | None, jumps: MertonJumpDiffusion | None, heston: HestonProcess | None
) -> None:
    """Raise an error if an argument belongs to another law."""
    for name, given, law in (("jumps", jumps, HedgeLaw.JUMPS), ("heston", heston, HedgeLaw.STOCHASTIC_VOL)):
        if given is not None and kind is not law:
            raise ModelError(
                f"{name}= belongs to distribution={law.value!r}, not to {kind.value!r}; leave it out", name=name
            )
    if scaling is Scaling.MAD and kind in {HedgeLaw.JUMPS, HedgeLaw.STOCHASTIC_VOL}:
        raise ModelError(
            f"scaling='mad' is for returns of one law; {kind.value} has the variance of the volatility given",
            name="scaling",
            value="mad",
        )


def _jumps_of(vol: float) -> MertonJumpDiffusion:
    """Return a jump diffusion with the variance of a volatility, in which the drift of log jumps is zero."""
    from_jumps = _SHARE_OF_JUMPS * vol**2
    return MertonJumpDiffusion(
        math.sqrt(vol**2 - from_jumps), _JUMPS_A_YEAR, 0.0, math.sqrt(from_jumps / _JUMPS_A_YEAR)
    )


def _heston_of(vol: float) -> HestonProcess:
    """Return a Heston process with the expected variance of a volatility."""
    variance = vol**2
    xi = _FELLER * math.sqrt(2.0 * _REVERSION * variance)
    return HestonProcess(v0=variance, kappa=_REVERSION, theta=variance, sigma=xi, rho=_LEVERAGE)


def _notes(law: StepLaw, absorbed: int, n_paths: int) -> tuple[str, ...]:
    said = []
    if n_paths < _FEW_PATHS:
        said.append(f"{n_paths} paths are few for a 99 % quantile")
    if isinstance(law, ArithmeticLaw):
        if law.tail <= _SECOND:
            said.append("this law has no variance: standard deviation and kurtosis grow with the number of paths")
        elif law.tail <= _FOURTH:
            said.append("this law has no kurtosis: that of the sample grows with the number of paths")
    if absorbed:
        said.append(f"{absorbed:,} of {n_paths:,} paths fell to zero and stayed there")
    return tuple(said)
