r"""Greeks by simulation, as a check of the closed forms.

For each contract whose class defines its payoff at expiry (``payoff``), the price at expiry is drawn from its
risk-neutral distribution, and delta, gamma and vega are estimated from the payoff, without the pricing formula:

================  ==================================================================================================
pathwise          the payoff's own derivative along each path (delta, vega)
likelihood ratio  the payoff times the derivative of the log density (delta; gamma and vega of discontinuous payoffs)
mixed             the likelihood ratio's delta, differentiated along each path (gamma)
bumped            the difference of two prices on the same normals (delta)
================  ==================================================================================================

A discontinuous payoff has no ``payoff_slope``, and so no pathwise estimate. A path-dependent payoff, such as that of a
barrier option, is not a function of the price at expiry: :func:`left_out` lists such contracts.

The z-score of an estimate is its distance in standard errors from the derivative of the price, in closed form where the
class has one.

References
----------
P. Glasserman, *Monte Carlo Methods in Financial Engineering* (2004), sections 7.1-7.3: equations 7.10, 7.23; mixed
estimator in example 7.3.4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.barbara import storable
from bank_python.instruments.derivatives import take_derivatives
from bank_python.instruments.factor import Factor
from bank_python.instruments.vanilla import time_left
from bank_python.results import Figures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_python.instruments import Instrument
    from bank_python.numerics import FloatArray
    from bank_python.risk.valuation import PricedBlock, ValuationPlan

__all__ = ["GreekCheck", "left_out", "validate_greeks"]

_MOST_CONTRACTS = 32
_BUMP = 1e-3
_STREAM = 2**31
"""Spawn key of the seed, above the number of any chunk."""


@storable("mc.GreekCheck", version=1)
@dataclass(frozen=True, slots=True)
class GreekCheck(Figures):
    """One Greek of one contract, simulated and in closed form.

    Parameters
    ----------
    contract, greek, method : str
        Contract name, name of the Greek (``"delta"``, ``"gamma"`` or ``"vega"``), and estimation method.
    simulated, error : float
        Estimate by simulation and its standard error.
    analytic : float
        Closed form, or finite differences of the price where the class has none.
    """

    contract: str
    greek: str
    method: str
    simulated: float
    error: float
    analytic: float

    @property
    def z_score(self) -> float:
        """Difference of simulated and analytic figure in standard errors."""
        difference = self.simulated - self.analytic
        return difference / self.error if self.error > 0.0 else (0.0 if difference == 0.0 else math.inf)


@dataclass(frozen=True, slots=True)
class _Option:
    """A contract as a payoff on a lognormal price."""

    inputs: dict[str, float]
    kind: type[Instrument]

    @property
    def spot(self) -> float:
        return self.inputs[self.kind.simulated_as.spot]

    @property
    def vol(self) -> float:
        return self.inputs[self.kind.simulated_as.vol]

    @property
    def rate(self) -> float:
        return self.inputs[self.kind.simulated_as.rate]

    @property
    def dividend(self) -> float:
        return self.inputs[self.kind.simulated_as.dividend]

    @property
    def years(self) -> float:
        left = self.inputs[self.kind.simulated_as.expiry]
        return float(time_left(left, self.inputs.get("clock", 0.0), self.inputs.get("made_at", 0.0)))

    def paid(self, end: FloatArray, name: str = "payoff") -> FloatArray:
        """Return the payoff, or its slope, for prices at expiry."""
        columns = [end if key == self.kind.simulated_as.spot else value for key, value in self.inputs.items()]
        return np.asarray(self.kind.bindings[name](columns), dtype=np.float64)


def validate_greeks(plan: ValuationPlan, n_paths: int, seed: int) -> tuple[GreekCheck, ...]:
    """Simulate the Greeks of contracts with a payoff at expiry, at most those of the 32 largest vega exposures.

    Parameters
    ----------
    plan : ValuationPlan
        Valuation plan with the contracts.
    n_paths : int
        Number of simulated prices at expiry for each contract.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    tuple of GreekCheck
        Checks by contract, Greek and method. A contract whose payoff is 0 on all paths, as deep out of the money on its
        last day, has none.
    """
    ranked: list[tuple[float, str, int, PricedBlock, dict[str, FloatArray]]] = []
    for block in plan.blocks:
        if "payoff" in block.kind.bindings:
            figures = _greeks(block)
            vegas = (np.abs(block.holdings).sum(axis=0) * np.abs(figures["vega"])).tolist()
            ranked += [(vega, block.names[i], i, block, figures) for i, vega in enumerate(vegas) if vega > 0.0]
    ranked.sort(key=lambda item: (-item[0], item[1]))
    options = ((name, _Option(block.batch.inputs(i), block.kind), i, figures) for _, name, i, block, figures in ranked)
    chosen = (item for item in options if item[1].years > 0.0 and item[1].vol > 0.0)
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(_STREAM,))))
    normals = rng.standard_normal(n_paths)
    return tuple(
        GreekCheck(
            name,
            greek,
            method,
            float(sample.mean()),
            float(sample.std() / math.sqrt(n_paths)),
            float(figures[greek][i]),
        )
        for name, option, i, figures in islice(chosen, _MOST_CONTRACTS)
        for greek, method, sample in _samples(option, normals)
        if sample.any()
    )


def left_out(plan: ValuationPlan) -> dict[str, str]:
    """Return the reason, by contract name, why the Greeks of volatility-dependent contracts are not simulated.

    Parameters
    ----------
    plan : ValuationPlan
        Valuation plan with the contracts.
    """
    kinds = {block.kind for block in plan.blocks if "payoff" not in block.kind.bindings}
    optional = {kind for kind in kinds if any(kind.factor_of(name) is Factor.VOL for name in kind.source_names)}
    return {
        name: f"{block.kind.__name__} has no payoff as a function of the price at expiry"
        for block in plan.blocks
        if block.kind in optional
        for name in block.names
    }


def _greeks(block: PricedBlock) -> dict[str, FloatArray]:
    """Return the Greeks of a block's contracts, from closed forms or from finite differences of the price."""
    exact = block.batch.closed_form("price_and_greeks")
    if exact is not None:
        return {greek: cast("FloatArray", getattr(exact, greek)) for greek in ("delta", "gamma", "vega")}
    of, derivatives = block.kind.simulated_as, take_derivatives(block.batch)
    first, second = derivatives.first, derivatives.second
    return {"delta": first[of.spot], "gamma": second[of.spot, of.spot], "vega": first[of.vol]}


def _samples(option: _Option, z: FloatArray) -> Iterator[tuple[str, str, FloatArray]]:
    root = math.sqrt(option.years)
    spot, vol, deviation = option.spot, option.vol, option.vol * root
    discount = math.exp(-option.rate * option.years)
    growth = np.exp((option.rate - option.dividend) * option.years - 0.5 * deviation**2 + deviation * z)
    end = spot * growth
    payoff = discount * option.paid(end)
    yield "delta", "likelihood ratio", payoff * z / (spot * deviation)
    h = _BUMP * spot
    up, down = (option.paid((spot + k) * growth) for k in (h, -h))
    yield "delta", "bumped", discount * (up - down) / (2.0 * h)
    if "payoff_slope" in option.kind.bindings:
        slope = discount * option.paid(end, "payoff_slope")
        yield "delta", "pathwise", slope * growth
        yield "gamma", "mixed", (slope * end - payoff) * z / (spot**2 * deviation)
        yield "vega", "pathwise", slope * end * (root * z - vol * option.years)
    else:
        curvature = (z * z - 1.0) / deviation - z
        yield "gamma", "likelihood ratio", payoff * curvature / (spot**2 * deviation)
        yield "vega", "likelihood ratio", payoff * curvature * root
