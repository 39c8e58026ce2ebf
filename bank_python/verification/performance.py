"""Values of performance: Sharpe ratios and the luck in them, splits of a back-test, Kelly's stake, drawdowns."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.backtester import purged_splits
from bank_python.backtester.metrics import max_drawdown, ulcer_index
from bank_python.risk import kelly_continuous, kelly_fraction, kelly_growth
from bank_python.risk_models import (
    annualised_sharpe,
    deflated_sharpe,
    expected_maximum_sharpe,
    minimum_track_record,
    overfitting_probability,
    probabilistic_sharpe,
    sharpe_standard_error,
)
from bank_python.verification.published_value import Cited, Provenance, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bank_python.backtester import PurgedSplits
    from bank_python.risk import ContinuousKelly
    from bank_python.verification.published_value import PublishedValue

__all__ = ["TOPIC", "values"]

TOPIC = "performance"

_FRONTIER = Source("D. H. Bailey and M. López de Prado", 2012, "The Sharpe ratio efficient frontier, J. of Risk 15")
_DEFLATED = Source(
    "D. H. Bailey and M. López de Prado", 2014, "The deflated Sharpe ratio, J. of Portfolio Management 40"
)
_PSEUDO = Source(
    "D. H. Bailey, J. M. Borwein, M. López de Prado and Q. J. Zhu",
    2014,
    "Pseudo-mathematics and financial charlatanism, Notices of the AMS 61",
)
_OVERFITTING = Source(
    "D. H. Bailey, J. M. Borwein, M. López de Prado and Q. J. Zhu",
    2017,
    "The probability of backtest overfitting, J. of Computational Finance 20",
)
_ADVANCES = Source("M. López de Prado", 2018, "Advances in Financial Machine Learning")
_LO = Source("A. W. Lo", 2002, "The statistics of Sharpe ratios, Financial Analysts Journal 58")
_ORDER = Source("H. A. David and H. N. Nagaraja", 2003, "Order Statistics, 3rd edition")
_KELLY = Source("J. L. Kelly", 1956, "A new interpretation of information rate, Bell System Technical Journal 35")
_THORP = Source("E. O. Thorp", 2006, "The Kelly criterion in blackjack, sports betting, and the stock market")
_DEFINITION = Source("Definition", None, "a curve of eight values: 100, 120, 90, 110, 80, 130, 125, 140")

_DAYS = 250
_VARIANCE = 0.5 / _DAYS  # of the trials' ratios, per day


def values() -> Iterator[PublishedValue]:
    """Yield the values of the topic."""
    yield from _probabilities()
    yield from _trials()
    yield from _lo()
    yield from _kelly()
    yield from _drawdowns()


def _probabilities() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _FRONTIER, Provenance.QUOTED, "record of two years, ratio 0.458 a month")
    for name, skew, kurtosis, printed in (("normal", 0.0, 3.0, "0.982"), ("skewed", -2.448, 10.164, "0.913")):
        what = f"probabilistic Sharpe ratio, skewness {skew:g}, kurtosis {kurtosis:g}"
        compute = partial(probabilistic_sharpe, 0.458, 24, skew=skew, kurtosis=kurtosis)
        yield paper.value(f"probabilistic-sharpe-{name}", what, printed, compute)
    records = (("daily", 252, 0.0, 3.0, "2.73"), ("weekly", 52, 0.0, 3.0, "2.83"), ("monthly", 12, -0.72, 5.78, "4.99"))
    for name, periods, skew, kurtosis, printed in records:
        what = f"least record in years, {name}, ratio 2 against 1, skewness {skew:g}"
        compute = partial(_years, periods, skew, kurtosis)
        yield paper.value(f"minimum-record-{name}", what, printed, compute, place="minimum track record length")


def _years(periods: int, skew: float, kurtosis: float) -> float:
    root = float(np.sqrt(periods))
    return float(minimum_track_record(2.0 / root, 1.0 / root, skew=skew, kurtosis=kurtosis)) / periods


def _trials() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _DEFLATED, Provenance.QUOTED, "worked example")
    what = "expected best daily ratio of 100 trials"
    yield paper.value("best-of-100", what, "0.1132", partial(expected_maximum_sharpe, 100, _VARIANCE))
    for trials, skew, kurtosis in ((46, -3.0, 10.0), (88, 0.0, 3.0)):
        what = f"deflated Sharpe ratio, {trials} trials, skewness {skew:g}, kurtosis {kurtosis:g}"
        yield paper.value(f"deflated-{trials}", what, "0.9505", partial(_deflated, trials, skew, kurtosis))
    pseudo = Cited(TOPIC, _PSEUDO, Provenance.QUOTED)
    what = "best annual ratio of ten trials without skill in one year"
    yield pseudo.value("best-of-10", what, "1.57", partial(expected_maximum_sharpe, 10, 1.0))
    order = Cited(TOPIC, _ORDER, Provenance.COMPUTED, "mean of the largest of n normal figures")
    for trials, printed in {3: "0.846284375", 5: "1.162964474", 10: "1.538752731", 100: "2.507593636"}.items():
        compute = partial(expected_maximum_sharpe, trials, 1.0, is_exact=True)
        yield order.value(f"largest-of-{trials}", f"mean of the largest of {trials}", printed, compute)
    splits = Cited(TOPIC, _ADVANCES, Provenance.QUOTED, "section 12.4")
    for groups, tested, count, paths in ((6, 2, "15", "5"), (10, 2, "45", "9"), (10, 5, "252", "126")):
        made = partial(purged_splits, 200, groups=groups, test_groups=tested)
        said, key = f"{groups} groups, {tested} tested", f"splits-{groups}-{tested}"
        yield splits.value(key, f"number of splits, {said}", count, partial(_count, made))
        yield splits.value(f"{key}-paths", f"number of paths, {said}", paths, partial(_paths, made))
    noise = np.random.default_rng(1).standard_normal((320, 3))
    overfitting = Cited(TOPIC, _OVERFITTING, Provenance.QUOTED)
    yield overfitting.value(
        "cscv-16", "combinations of 16 blocks", "12,870", lambda: overfitting_probability(noise).choices
    )


def _count(made: Callable[[], PurgedSplits]) -> int:
    return len(made())


def _paths(made: Callable[[], PurgedSplits]) -> int:
    return made().n_paths


def _deflated(trials: int, skew: float, kurtosis: float) -> float:
    best = expected_maximum_sharpe(trials, _VARIANCE)
    return float(deflated_sharpe(2.5 / float(np.sqrt(_DAYS)), 1_250, best, skew=skew, kurtosis=kurtosis))


def _lo() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _LO, Provenance.QUOTED, "table 1, with T in place of T - 1")
    for sharpe, count, printed in ((0.5, 60, "0.137"), (1.0, 60, "0.158"), (0.5, 12, "0.306")):
        what = f"standard error of a ratio of {sharpe:g} from {count} returns"
        compute = partial(sharpe_standard_error, sharpe, count + 1)
        yield paper.value(f"lo-error-{sharpe:g}-{count}", what, printed, compute)
    factors = ((12, 0.2, "2.87884869053"), (12, 0.5, "2.12128797552"), (252, 0.05, "15.1026732417"))
    for periods, rho, printed in factors:
        what = f"annualisation of {periods} periods with autocorrelation {rho:g}"
        compute = partial(annualised_sharpe, 1.0, periods, autocorrelation=rho)
        closed: dict[str, Any] = {"kind": Provenance.COMPUTED, "place": "equation 20"}
        yield paper.value(f"lo-factor-{periods}-{rho:g}", what, printed, compute, **closed)


def _kelly() -> Iterator[PublishedValue]:
    kelly = Cited(TOPIC, _KELLY, Provenance.COMPUTED)
    bets = (
        (0.6, 1.0, "0.2", "0.0201355135507"),
        (0.55, 1.0, "0.1", "0.00500836684636"),
        (0.5, 2.0, "0.25", "0.0588915178282"),
    )
    for chance, odds, stake, growth in bets:
        said, key = f"probability {chance:g}, odds {odds:g}", f"kelly-{chance:g}-{odds:g}"
        fraction = partial(kelly_fraction, chance, odds)
        exact: dict[str, Any] = {"within": 1e-12, "note": "the closed form is exact"}
        yield kelly.value(key, f"stake, {said}", stake, fraction, **exact)
        compute = partial(kelly_growth, float(stake), chance, odds)
        yield kelly.value(f"{key}-growth", f"growth of the logarithm, {said}", growth, compute)
    thorp = Cited(TOPIC, _THORP, Provenance.COMPUTED, "continuous approximation: mean 11 %, vol 15 %, rate 6 %")
    held = partial(kelly_continuous, 0.11, 0.15, 0.06)
    yield thorp.value("thorp-fraction", "fraction of wealth", "2.22222222222", lambda: held().fraction)
    yield thorp.value("thorp-growth", "growth at that fraction", "0.115555555556", lambda: held().growth())
    yield thorp.value("thorp-unlevered", "growth without leverage", "0.09875", lambda: held().growth_at(1.0))
    for share, printed in ((1.0, "0.5"), (0.5, "0.125"), (0.25, "0.0078125")):
        what = f"probability of ever falling to half at {share:g} of Kelly"
        fall = partial(_fall, held, share)
        yield thorp.value(f"thorp-fall-{share:g}", what, printed, fall, place="a^(2/c - 1)")


def _fall(held: Callable[[], ContinuousKelly], share: float) -> float:
    return float(held().fall_probability(0.5, share))


def _drawdowns() -> Iterator[PublishedValue]:
    curve = (100.0, 120.0, 90.0, 110.0, 80.0, 130.0, 125.0, 140.0)
    definition = Cited(TOPIC, _DEFINITION, Provenance.COMPUTED)
    yield definition.value("drawdown", "largest fall", "-0.333333333333", partial(max_drawdown, curve))
    yield definition.value("ulcer", "root of the mean squared fall", "0.150845469561", partial(ulcer_index, curve))
