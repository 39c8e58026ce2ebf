"""Days to liquidate and liquidity-adjusted VaR: published examples, day-by-day simulation, properties and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import RiskError
from bank_python.risk import days_to_liquidate, liquidation_factor, liquidation_schedule, liquidity_adjusted_var

SIZES = st.lists(st.floats(-1e9, 1e9).filter(lambda size: abs(size) > 1e-3), min_size=1, max_size=6)
VOLUMES = st.lists(st.floats(1.0, 1e9) | st.just(0.0), min_size=6, max_size=6)


def test_the_published_days():
    # oracles_trading_tails_crypto.json, days_to_liquidate: 2,500,000 / (0.2 * 1,000,000).
    assert days_to_liquidate(2_500_000, 1_000_000, 0.2) == 12.5
    assert days_to_liquidate([-10, 0, 5], [100, 0, 0], [0.1, 0.2, 1.0]).tolist() == [1.0, 0.0, math.inf]
    assert days_to_liquidate(1e12, 1e-12) == pytest.approx(5e24)
    assert days_to_liquidate(1e-12, 1e12) == pytest.approx(5e-24)


@given(SIZES, VOLUMES, st.floats(0.01, 1.0))
def test_a_book_is_liquidated_as_its_holdings_are(sizes, volumes, rate):
    book = liquidation_schedule(sizes, volumes[: len(sizes)], participation=rate)
    at = [0.0, 0.5, 1.0, 7.0, 1e3, math.inf]
    shares = book.share(at)
    total = sum(map(abs, sizes))
    for t, share in zip(at, shares, strict=True):
        sold = sum(
            min(abs(size), rate * volume * t) if volume else 0.0 for size, volume in zip(sizes, volumes, strict=False)
        )
        assert share == pytest.approx(sold / total, abs=1e-9)
    assert (np.diff(shares) >= -1e-12).all()
    for share in (0.5, 0.9, 0.95, 1.0):
        days = book.days_for(share)
        if math.isfinite(days):
            assert book.share(days) == pytest.approx(share, abs=1e-9)
            assert book.share(0.99 * days) <= share
        else:
            assert book.never
            assert book.share(math.inf) < share


@given(SIZES, VOLUMES, st.sampled_from([1e-12, 1e-3, 1e6, 1e12]))
def test_the_unit_does_not_matter(sizes, volumes, unit):
    volumes = volumes[: len(sizes)]
    one = liquidation_schedule(sizes, volumes)
    other = liquidation_schedule(np.multiply(sizes, unit), np.multiply(volumes, unit))
    assert other.days == pytest.approx(one.days)
    assert other.share(3.0) == pytest.approx(one.share(3.0))


def test_a_book_by_name_with_prices():
    pandas = pytest.importorskip("pandas")
    held, volumes = {"SPY": 10_000, "FUND": -20_000, "PRIVATE": 100}, {"FUND": 1e4, "SPY": 5e4, "PRIVATE": 0, "X": 1.0}
    book = liquidation_schedule(held, volumes, prices={"SPY": 600.0, "FUND": 100.0, "PRIVATE": 1e3})
    assert book.names == ("SPY", "FUND", "PRIVATE")
    assert book.values.tolist() == [6e6, 2e6, 1e5]
    assert book.days.tolist() == [1.0, 10.0, math.inf]
    assert (book.never, book.weighted_days, book.days_for(1.0)) == (("PRIVATE",), math.inf, math.inf)
    assert book.days_for(0.9) == pytest.approx(1.0 + (0.9 * 8.1e6 - 6.2e6) / 2e5)
    assert "zero volume, never liquidated: PRIVATE" in repr(book)
    assert "100% of the value: never" in repr(book)
    series = liquidation_schedule(pandas.Series(held), pandas.Series(volumes), prices=[600.0, 100.0, 1e3])
    assert series.days.tolist() == book.days.tolist()
    assert series.names == book.names
    rows = list(book.schedule())
    assert [row["day"] for row in rows] == [float(day) for day in range(11)]
    assert rows[5]["left FUND"] == pytest.approx(1e6)
    assert rows[10]["share"] == pytest.approx(8.0 / 8.1)


def test_holdings_of_nothing_take_no_time():
    book = liquidation_schedule({"A": 1.0, "B": 0.0}, {"A": 5.0, "B": 0.0})
    assert (book.days.tolist(), book.weighted_days, book.days_for(1.0), book.never) == ([1.0, 0.0], 1.0, 1.0, ())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: days_to_liquidate(1.0, -1.0), "adv=-1.0 is not a volume"),
        (lambda: days_to_liquidate(1.0, math.nan), "adv=nan is not a volume"),
        (lambda: days_to_liquidate(1.0, 1.0, 20), "participation=20.0 is outside .*; for 20 per cent give 0.2"),
        (lambda: days_to_liquidate(1.0, 1.0, 0.0), "participation=0.0 is outside"),
        (lambda: days_to_liquidate(math.inf, 1.0), "position is not finite"),
        (lambda: days_to_liquidate([1.0, 2.0], [1.0, 2.0, 3.0]), "do not match"),
        (lambda: days_to_liquidate("x", 1.0), "position='x' is not a number"),
        (lambda: liquidation_schedule({}, {}), r"positions=\[\] is no row of numbers"),
        (lambda: liquidation_schedule([[1.0]], [1.0]), "is no row of numbers"),
        (lambda: liquidation_schedule({"SPY": 1.0}, {"SPYY": 1.0}), "SPY has no figure in adv; did you mean 'SPYY'"),
        (lambda: liquidation_schedule({"SPY": math.nan}, {"SPY": 1.0}), "positions of SPY is nan"),
        (lambda: liquidation_schedule([1.0, 2.0], [1.0, 2.0, 3.0]), "3 adv for 2 holdings"),
        (lambda: liquidation_schedule([0.0], [1.0]), "all positions are 0"),
        (lambda: liquidation_schedule([1.0], [1.0], prices=[0.0]), "the price of holding 1 is 0.0"),
        (lambda: liquidation_schedule([1.0], [1.0]).share(-1.0), "has a negative number or NaN"),
        (lambda: liquidation_schedule([1.0], [1.0]).days_for(95.0), "share=95.0 is outside"),
    ],
)
def test_bad_books_are_refused(call, said):
    with pytest.raises(RiskError, match=said):
        call()


def test_the_published_factors():
    # FRM examination questions: three days 1.2472; eight days, 79 % more.
    assert liquidation_factor(3) == pytest.approx(1.2472, abs=5e-5)
    assert liquidation_factor(8) == pytest.approx(1.79, abs=0.006)
    for days in (1, 2, 5, 10, 250):
        assert liquidation_factor(days) == pytest.approx(math.sqrt((1 + days) * (1 + 2 * days) / (6 * days)))
    assert liquidation_factor(0.3) == 1.0
    assert liquidation_factor(1e12) == pytest.approx(math.sqrt(1e12 / 3.0))


@given(st.floats(0.01, 300.0), st.floats(0.0, 10.0))
def test_the_factor_is_that_of_what_is_left_each_day(days, more):
    left = [1.0 - i / days for i in range(math.ceil(days))]
    assert liquidation_factor(days) == pytest.approx(math.sqrt(sum(part * part for part in left)))
    assert liquidation_factor(days + more) >= liquidation_factor(days) - 1e-12


def test_the_factor_is_the_deviation_of_simulated_proceeds():
    moves = np.random.default_rng(5).standard_normal((50_000, 5))
    left = 1.0 - np.arange(5) / 5.0
    assert liquidation_factor(5.0) == pytest.approx(float((moves @ left).std()), rel=1e-2)


def test_the_published_costs_of_spreads():
    # Hull, Risk Management and Financial Institutions, chapter on liquidity risk, as in Bionic Turtle P2.T8.20.1:
    # spreads of 3 % of 10,000 and of 4 % of 17,000 cost $490 ...
    adjusted = liquidity_adjusted_var(0.0, [-10_000, 17_000], [0.03, 0.04])
    assert adjusted.spread_cost == pytest.approx(490.0)
    # ... and with a mean and a deviation of 5 % and 3 %, at 95 % (1.645 deviations), $3,240.
    stressed = liquidity_adjusted_var(
        0.0, [25_000, 40_000], [0.05, 0.03], spread_deviations=[0.05, 0.03], multiplier=1.645
    )
    assert stressed.spread_cost == pytest.approx(3_240.0, abs=1.0)


def test_the_parts_add_up():
    adjusted = liquidity_adjusted_var(
        1e5, {"A": 6e6, "B": -2e6}, {"B": 0.02, "A": 1e-4}, spread_deviations={"A": 1e-4, "B": 0.01}, days=12.5
    )
    parts = adjusted.to_dict()
    total = parts.pop("value")
    assert total == adjusted.value == pytest.approx(sum(parts.values()))
    assert adjusted.market == pytest.approx(1e5 * liquidation_factor(12.5))
    assert adjusted.spread_cost == pytest.approx(0.5 * (6e6 * 4e-4 + 2e6 * 0.05))
    assert adjusted.cost_share == pytest.approx(adjusted.spread_cost / 8e6)
    assert "sold over 12.5 days" in repr(adjusted)
    plain = liquidity_adjusted_var(1e5, 1e6, 0.0)
    assert (plain.value, plain.factor, plain.days) == (1e5, 1.0, 1.0)


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"spreads": 10.0}, r"spreads of holding 1 is 10.*10 % is 0.1, 10 basis points are 0.001"),
        ({"spreads": 0.5}, "half the price or more"),
        ({"spreads": -0.01}, "ask and bid are exchanged"),
        ({"spreads": math.nan}, "spreads of holding 1 is nan"),
        ({"spreads": [0.1, 0.2]}, "2 spreads for 1 holdings"),
        ({"spread_deviations": 1.0}, "spread_deviations of holding 1 is 1"),
        ({"spread_deviations": 0.4, "multiplier": 10.0}, "costs more than the holding is worth"),
        ({"var": -1.0}, "var=-1.0 is not a finite number of at least 0"),
        ({"var": "x"}, "var='x' is not a number"),
        ({"multiplier": math.inf}, "multiplier=inf is not a finite number"),
        ({"days": 0.0}, "days=0.0 is not above 0 and finite"),
        ({"days": math.inf}, "leave out what is never liquidated"),
        ({"values": {}}, r"values=\[\] is no row of numbers"),
    ],
)
def test_bad_spreads_are_refused(given_, said):
    with pytest.raises(RiskError, match=said):
        liquidity_adjusted_var(**{"var": 1.0, "values": 100.0, "spreads": 0.001, **given_})


@pytest.mark.parametrize(
    ("value", "said"), [(1.0, "< 0.01"), (5.2, "0.03"), (100.0, "0.50"), (200.0, "1.0"), (246_900.0, "1,234.5")]
)
def test_short_liquidations_are_shown_with_their_digits(value, said):
    shown = repr(liquidation_schedule({"A": value}, {"A": 1_000.0}, participation=0.2))
    assert f" {said} " in shown


@pytest.mark.parametrize(("days", "said"), [(0.3, "sold over 1 day, ×"), (2.0, "sold over 2 days, ×")])
def test_the_days_of_a_sale_are_in_words(days, said):
    assert said in repr(liquidity_adjusted_var(1e5, {"A": 1e6}, {"A": 0.001}, days=days))


def test_many_holdings_need_no_square_of_memory():
    count = 100_000
    book = liquidation_schedule(np.ones(count), np.arange(1.0, count + 1.0))
    days = book.days_for(0.95)
    assert np.minimum(days / book.days, 1.0).mean() == pytest.approx(0.95, abs=1e-9)


@given(
    st.lists(
        st.tuples(st.floats(0.0, 1e9), st.sampled_from([0.0, 1e-3, 1.0, 7.0, 1e6])), min_size=1, max_size=8
    ).filter(lambda rows: any(size > 0.0 for size, _ in rows)),
    st.sampled_from([0.0, 1e-6, 0.5, 1.0, 35.0, 1e9, math.inf]),
)
def test_the_share_is_the_sum_over_the_holdings(rows, day):
    sizes, volumes = np.array(rows).T
    book = liquidation_schedule(sizes, volumes)
    done = [
        1.0 if days <= day and math.isfinite(days) else day / days if math.isfinite(days) else 0.0 for days in book.days
    ]
    assert book.share(day) == pytest.approx(float(np.dot(done, sizes) / sizes.sum()), abs=1e-12)
