r"""Greeks by simulation, beside the closed forms: a check of both.

Of each option, the price at expiry is drawn under its own risk-neutral law, and delta, gamma and vega are estimated
from the payoff in ways that share nothing with the formula:

================  ==================================================================================================
pathwise          the payoff's own derivative along each path (delta, vega)
likelihood ratio  the payoff, weighted by how the density moves (delta)
mixed             the pathwise delta, weighted so (gamma, for which the pathwise one does not exist)
bumped            the difference of two prices on the same normals (delta)
================  ==================================================================================================

An estimate is judged by its z-score: how many of its own standard errors it is from the closed form.

References
----------
P. Glasserman, *Monte Carlo Methods in Financial Engineering* (2004), sections 7.1-7.3: equations 7.10, 7.23; mixed
estimator in example 7.3.4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.barbara import storable
from bank_python.instruments import Option
from bank_python.instruments.vanilla import time_left

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_python.numerics import FloatArray
    from bank_python.risk.valuation import PricedBlock, ValuationPlan
    from bank_python.risk_models import Greeks

__all__ = ["GreekCheck", "validate_greeks"]

_MOST = 32
_BUMP = 1e-3
_STREAM = 2**31
"""The spawn key of the seed: no chunk has so high a number."""


@storable("mc.GreekCheck", version=1)
@dataclass(frozen=True, slots=True)
class GreekCheck:
    """One Greek of one contract, simulated and in closed form.

    Parameters
    ----------
    contract, greek, method : str
        Of what, which, and how it was simulated.
    simulated, error : float
        The estimate and its standard error.
    analytic : float
        The closed form.
    """

    contract: str
    greek: str
    method: str
    simulated: float
    error: float
    analytic: float

    @property
    def z_score(self) -> float:
        """By how many standard errors the two differ."""
        difference = self.simulated - self.analytic
        return difference / self.error if self.error > 0.0 else (0.0 if difference == 0.0 else math.inf)


@dataclass(frozen=True, slots=True)
class _Terms:
    """One option's terms, as its ``price`` has them."""

    spot: float
    vol: float
    rate: float
    dividend: float
    strike: float
    years: float
    sign: float


def validate_greeks(plan: ValuationPlan, n_paths: int, seed: int) -> tuple[GreekCheck, ...]:
    """Simulate the Greeks of the plan's European options: of the 32 with the largest vega held, if there are more.

    Parameters
    ----------
    plan : ValuationPlan
        With the options.
    n_paths : int
        For each.
    seed : int
        The same seed gives the same numbers.
    """
    blocks = [block for block in plan.blocks if block.kind is Option]
    chosen: list[tuple[float, str, _Terms, dict[str, float]]] = []
    for block in blocks:
        exact = _closed_forms(block)
        held = np.abs(block.holdings).sum(axis=0) * np.abs(cast("FloatArray", exact.vega))
        for i, name in enumerate(block.names):
            terms = _terms(block, i)
            if terms.years > 0.0 and terms.vol > 0.0 and held[i] > 0.0:
                figures = {greek: float(getattr(exact, greek)[i]) for greek in ("delta", "gamma", "vega")}
                chosen.append((float(held[i]), name, terms, figures))
    chosen.sort(key=lambda item: (-item[0], item[1]))
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(_STREAM,))))
    normals = rng.standard_normal(n_paths)
    return tuple(
        GreekCheck(name, greek, method, float(sample.mean()), float(sample.std() / math.sqrt(n_paths)), figures[greek])
        for _, name, terms, figures in chosen[:_MOST]
        for greek, method, sample in _samples(terms, normals)
    )


def _samples(terms: _Terms, z: FloatArray) -> Iterator[tuple[str, str, FloatArray]]:
    deviation = terms.vol * math.sqrt(terms.years)
    discount = math.exp(-terms.rate * terms.years)
    carry = (terms.rate - terms.dividend) * terms.years - 0.5 * deviation**2
    growth = np.exp(carry + deviation * z)
    end = terms.spot * growth
    payoff = discount * np.maximum(terms.sign * (end - terms.strike), 0.0)
    exercised = discount * terms.sign * (payoff > 0.0).astype(np.float64)
    yield "delta", "pathwise", exercised * growth
    yield "delta", "likelihood ratio", payoff * z / (terms.spot * deviation)
    h = _BUMP * terms.spot
    up, down = (np.maximum(terms.sign * ((terms.spot + k) * growth - terms.strike), 0.0) for k in (h, -h))
    yield "delta", "bumped", discount * (up - down) / (2.0 * h)
    yield "gamma", "mixed", exercised * terms.strike * z / (terms.spot**2 * deviation)
    yield "vega", "pathwise", exercised * end * (math.sqrt(terms.years) * z - terms.vol * terms.years)


def _closed_forms(block: PricedBlock) -> Greeks:
    with np.errstate(all="ignore"):
        return Option.greeks(*block.table)


def _terms(block: PricedBlock, i: int) -> _Terms:
    of = dict(zip((*block.kind.source_names, *block.kind.term_names), block.table[:, i].tolist(), strict=True))
    years = float(time_left(of["expiry"], of["clock"], of["made_at"]))
    sign = 1.0 if of["is_call"] else -1.0
    return _Terms(of["spot"], of["vol"], of["rate"], of["dividend"], of["strike"], years, sign)
