"""Pairs: which of many prices belong together, what chance alone would find, and how far apart a pair is today."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.desk.showcase.figures import past_prices, quoted_shares, require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.risk_models import engle_granger, fit_ou, scan_pairs, z_score
from bank_python.sheet import Bar, Sheet, bars, names, numbers

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from bank_python.desk.desk import Desk
    from bank_python.desk.showcase.stage import Stage
    from bank_python.numerics import FloatArray

_SHARES = 11
_PHI, _NOISE, _RATIO = 0.9, 0.008, 0.8
"""The invented share: its deviations shrink by a tenth a day, with noise of 0.8 %, around 0.8 of the leader's logs."""
_LOOKBACK, _SHOWN, _WIDE = 60, 8, 2.0
_YEAR = 252
_WIDTH = 24


@scene("PAIRS AND COINTEGRATION")
def pairs(stage: Stage) -> SceneResult:
    """Test all pairs of some shares for cointegration, one of them invented to follow another, and score that pair."""
    desk = stage.desk
    require_quotes(desk)
    prices = _closes(desk, quoted_shares(desk)[:_SHARES])
    leader, follower = next(iter(prices)), "FOLLOWER"
    prices[follower] = _following(prices[leader])
    scan = scan_pairs(prices)
    found = [(pair.y, pair.x) for pair in scan.selected()]
    test = engle_granger(prices[follower], prices[leader], take_logs=True, names=[follower, leader])
    scores = z_score(test.spread, _LOOKBACK)
    process = fit_ou(test.spread, _YEAR)
    below = sum(pair.p_value < 0.05 for pair in scan)  # noqa: PLR2004 - the usual level
    facts = {
        "shares": list(prices),
        "invented": follower,
        "pairs": len(scan),
        "below_5_percent": below,
        "expected_by_chance": scan.expected_by_chance,
        "selected": [list(names) for names in found],
        "hedge_ratio": test.hedge_ratio,
        "half_life": test.half_life,
        "score_now": float(scores[-1]),
        "s_score": process.s_score,
    }
    heading = (
        f"{follower} is invented: its logs follow {_RATIO:g} of those of {leader}, with deviations of half-life "
        f"{-math.log(2.0) / math.log(_PHI):.1f} days."
    )
    remark = (
        f"{below} of {len(scan)} pairs have a p-value below 5 %; after Holm's adjustment for all {scan.tests} tests "
        f"{_listed(found)}."
    )
    dates = sorted(set(prices[leader]) & set(prices[follower]))
    return SceneResult(facts, [heading, scan, remark, test, _scored(dates, scores, test.hedge_ratio, leader, follower)])


def _closes(desk: Desk, symbols: Sequence[str]) -> dict[str, dict[dt.date, float]]:
    past = past_prices(desk, symbols)
    return {name: {row["date"].date(): row["close"] for row in past.query(name)} for name in symbols}


def _following(closes: Mapping[dt.date, float]) -> dict[dt.date, float]:
    """Return prices whose logs follow those of a share, with deviations that shrink."""
    noise = _NOISE * np.random.default_rng(7).standard_normal(len(closes))
    deviation, followed = 0.0, {}
    for (day, close), shock in zip(closes.items(), noise.tolist(), strict=True):
        deviation = _PHI * deviation + shock
        followed[day] = 10.0 * close**_RATIO * math.exp(deviation)
    return followed


def _scored(dates: Sequence[dt.date], scores: FloatArray, ratio: float, leader: str, follower: str) -> Sheet:
    shown = Sheet(
        f"z-score of the spread, window of {_LOOKBACK} days", [names("Day"), numbers("z"), bars(width=_WIDTH)]
    )
    recent = scores[-_SHOWN:].tolist()
    for day, score in zip(dates[-_SHOWN:], recent, strict=True):
        shown.add(day.isoformat(), f"{score:+.2f}", Bar.of(score, 3.0))
    last = recent[-1]
    if abs(last) < _WIDE:
        shown.note(f"no trade: {last:+.2f} is within ±{_WIDE:g}")
    else:
        deed, other = ("sell", "buy") if last > 0.0 else ("buy", "sell")
        shown.note(f"{deed} 1.00 of {follower}, {other} {ratio:.2f} of {leader}, in money")
    wide = np.abs(scores[_LOOKBACK:]) >= _WIDE
    shown.note(f"beyond ±{_WIDE:g} on {wide.mean():.1%} of all days")
    return shown


def _listed(found: Sequence[tuple[str, str]]) -> str:
    if not found:
        return "none is left"
    few = ", ".join(f"{y} on {x}" for y, x in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""  # noqa: PLR2004 - fits a line
    return f"{len(found)} is left: {few}" if len(found) == 1 else f"{len(found)} are left: {few}{more}"
