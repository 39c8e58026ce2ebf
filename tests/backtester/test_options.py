"""Options in a back-test: their prices, settlement and accounting against a plain loop; volatility arbitrage."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

from bank_python.backtester import Backtester, VolArbBacktest, null_books
from bank_python.errors import BacktestError, TradingError
from bank_python.trading_engine import Order, VolArbSignal, replay

FIRST = dt.date(2026, 1, 5)
PATH = 100.0 * np.exp(np.cumsum(0.012 * np.random.default_rng(5).standard_normal(90)))


def bars(closes, first=FIRST):
    """Return daily bars without weekends, which open half way to the close before."""
    made, day, before = [], first, closes[0]
    for close in closes:
        opened = 0.5 * (before + close)
        made.append(
            {"date": day, "open": opened, "high": max(opened, close), "low": min(opened, close), "close": close}
        )
        before, day = close, day + dt.timedelta(days=3 if day.weekday() == 4 else 1)
    return made


def black_scholes(spot, strike, years, vol, rate=0.0, *, is_call=True):
    """Hull, Options, Futures, and Other Derivatives, equations 15.20 and 15.21, by the error function."""
    if years <= 0.0:
        return max(spot - strike, 0.0) if is_call else max(strike - spot, 0.0)
    d1 = (math.log(spot / strike) + (rate + 0.5 * vol**2) * years) / (vol * math.sqrt(years))
    d2, sign = d1 - vol * math.sqrt(years), 1.0 if is_call else -1.0
    below = [0.5 * math.erfc(-sign * d / math.sqrt(2.0)) for d in (d1, d2)]
    return sign * (spot * below[0] - strike * math.exp(-rate * years) * below[1])


def ordered(*orders, at=0):
    return lambda window: list(orders) if window.index == at else None


def market(name, side="BUY", quantity=2.0):
    return Order("", "", name, side, quantity)


def run(strategy, data, **given):
    return Backtester(strategy, data=data, **{"initial_cash": 10_000.0, "vols": 0.2} | given).run()


@pytest.mark.parametrize("kind", ["C", "P"])
@pytest.mark.parametrize(
    ("fill", "at", "field"), [("next_open", 1, "open"), ("next_close", 1, "close"), ("close", 0, "close")]
)
def test_an_option_is_bought_marked_and_settled_at_the_price_of_its_contract(kind, fill, at, field):
    data, expiry = bars(PATH[:20]), dt.date(2026, 1, 21)
    is_call, strike = kind == "C", 98.0
    result = run(ordered(market(f"A {expiry} {kind} 98")), {"A": data}, fill=fill, fees_bps=10.0, cash_rate=0.0)

    def price(row, name="close"):
        years = (expiry - row["date"]).days / 365.0
        return black_scholes(row[name], strike, years, 0.2, is_call=is_call)

    paid = price(data[at], field) * 200.0
    cash = 10_000.0 - paid * 1.001
    final = next(row for row in data if row["date"] == expiry)["close"]
    after = cash + 200.0 * black_scholes(final, strike, 0.0, 0.2, is_call=is_call)
    for t, row in enumerate(data):
        live = cash + 200.0 * price(row) if row["date"] < expiry else after
        assert result.equity[t] == pytest.approx(10_000.0 if t < at else live, rel=1e-12)
    assert result.account.contracts == (f"A {expiry} {kind} 98",)
    assert result.account.contract_units[at, 0] == 2.0
    assert result.account.contract_units[-1, 0] == 0.0


def test_an_option_that_ends_on_a_holiday_is_settled_at_the_last_close_before_it():
    data = bars(PATH[:12])  # the 10th of January is a Saturday
    result = run(ordered(market("A 2026-01-10 C 90")), {"A": data})
    friday = next(row for row in data if row["date"] == dt.date(2026, 1, 9))
    (end,) = result.account.settlements
    assert (end.quantity, end.price, end.time.date()) == (
        -2.0,
        pytest.approx(friday["close"] - 90.0),
        dt.date(2026, 1, 12),
    )
    trip = result.trades.round_trips[0]
    assert trip.gain == pytest.approx(result.final_value - 10_000.0)


def test_the_volatility_is_that_of_the_data_then_the_given_one_then_a_realised_one_which_is_said():
    vols = np.linspace(0.2, 0.3, 30)
    data = {"A": bars(PATH[:30]), "A_VOL": bars(vols)}
    bought = ordered(market("A 2026-03-20 C 100"), at=22)
    quoted = run(bought, data, fill="close", vols=0.9)
    row = data["A"][22]
    years = (dt.date(2026, 3, 20) - row["date"]).days / 365.0
    assert quoted.fills[0].price == pytest.approx(black_scholes(row["close"], 100.0, years, vols[22]), rel=1e-12)
    given = run(bought, {"A": data["A"]}, fill="close", vols={"A": 0.35})
    assert given.fills[0].price == pytest.approx(black_scholes(row["close"], 100.0, years, 0.35), rel=1e-12)
    modelled = run(bought, {"A": data["A"]}, fill="close", vols=None)
    returns = np.diff(np.log(PATH[:23]))
    realised = math.sqrt(252.0 * float(np.mean(returns**2)))
    assert modelled.fills[0].price == pytest.approx(black_scholes(row["close"], 100.0, years, realised), rel=1e-10)
    assert any("implied volatilities of A are realised ones" in note for note in modelled.notes)
    assert not any("implied" in note for note in (*quoted.notes, *given.notes))


def test_the_trail_replays_into_the_same_positions_and_cash():
    result = run(VolArbBacktest(["A"], trade_qty=1.0), {"A": bars(PATH)}, fees_bps=5.0, vols=0.4, initial_cash=1e5)
    ledger = replay(result.audit)
    assert result.audit.verify().holds
    assert ledger.cash["USD"] == pytest.approx(result.cash[-1], abs=0.5)  # cents of each booking
    assert ledger.quantity("A") == result.held[-1, 0]
    units = dict(zip(result.account.contracts, result.account.contract_units[-1], strict=True))
    assert all(ledger.quantity(name) == held for name, held in units.items())


@pytest.mark.parametrize(("implied", "side", "gains"), [(0.45, "SELL", True), (0.05, "BUY", True)])
def test_volatility_arbitrage_sells_what_is_dear_and_buys_what_is_cheap(implied, side, gains):
    result = run(VolArbBacktest(["A"], trade_qty=1.0), {"A": bars(PATH)}, vols=implied, initial_cash=1e5)
    assert {fill.order.side.value for fill in result.fills if " " in fill.order.instrument_name} == {side}
    assert (result.final_value > 1e5) == gains
    hedged = np.abs(result.held[:, 0]).max()
    assert 0.0 < hedged <= 100.0
    bare = run(VolArbBacktest(["A"], trade_qty=1.0, hedge=False), {"A": bars(PATH)}, vols=implied)
    assert not bare.held.any()


def test_a_fair_volatility_opens_nothing_and_a_run_leaves_nothing_behind():
    strategy, squares = VolArbBacktest(["A"]), np.diff(np.log(PATH)) ** 2
    fair = [math.sqrt(252.0 * float(np.mean(squares[max(t - 20, 0) : t] if t else 1e-3))) for t in range(90)]
    assert run(strategy, {"A": bars(PATH), "A_VOL": bars(fair)}).trade_count == 0
    first, second = (run(strategy, {"A": bars(PATH)}, vols=0.5) for _ in range(2))
    assert first.equity.tolist() == second.equity.tolist()
    assert VolArbBacktest(["A"]).trade_qty == 10.0
    assert VolArbBacktest(["A"]).rv_window == 20


def test_the_straddle_of_a_signal_is_a_call_and_a_put_with_dates():
    data = {"A": bars(PATH), "A_VOL": bars(np.full(90, 0.5))}
    result = run(VolArbSignal(["A"]), data, initial_cash=1e6)
    names = [fill.order.instrument_name for fill in result.fills[:2]]
    assert [name.split()[0::2] for name in names] == [["A", "C"], ["A", "P"]]
    assert {fill.quantity for fill in result.fills[:2]} == {0.1}  # ten units of the underlying, of a hundred


def test_poisoned_bars_after_now_change_no_price_before():
    data = bars(PATH)
    poisoned = [*data[:40], *bars(1_000.0 * PATH[40:], data[40]["date"])]
    orders = ordered(market("A 2026-03-20 C 100"), at=25)
    runs = [run(orders, {"A": rows}, vols=None) for rows in (data, poisoned)]
    assert runs[0].fills
    assert runs[0].equity[:40].tolist() == runs[1].equity[:40].tolist()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("B 2026-03-20 C 100", "no bars of 'B'"),
        ("A 2026-13-20 C 100", "is no option"),
        ("A260320C00100000", "has the name 'A 2026-03-20 C 100' here; write it so"),
        ("A_30D_95X", "no bars of 'A_30D_95X'"),
    ],
)
def test_options_on_what_has_no_bars_or_that_do_not_exist_are_refused(name, said):
    with pytest.raises(BacktestError, match=said):
        run(ordered(market(name)), {"A": bars(PATH[:5])})


def test_settings_are_checked():
    for given, said in (({"vols": 20.0}, "decimals"), ({"vols": {"A": 0.0}}, r"vols\['A'\]")):
        with pytest.raises(BacktestError, match=said):
            run(ordered(), {"A": bars(PATH[:5])}, **given)
    with pytest.raises(BacktestError, match="tickers is empty"):
        VolArbBacktest([])
    with pytest.raises(TradingError, match="rv_window"):
        VolArbBacktest(["A"], rv_window=1)


def test_the_verdict_on_options_says_which_checks_cannot_be_made():
    result = run(VolArbBacktest(["A"], trade_qty=1.0), {"A": bars(PATH)}, vols=0.45, initial_cash=1e5, fees_bps=5.0)
    verdict = result.verdict()
    assert verdict.nulls is None
    assert verdict["random books"].passed is None
    assert "from a new run" in verdict["costs doubled"].words
    assert verdict.conclusion == "chance was not tested: it held options, of which no null books are made"
    assert verdict.plot()._repr_png_()
    with pytest.raises(BacktestError, match="held options such as A 2026"):
        null_books(result)


def test_on_bars_of_hours_an_option_lives_to_the_end_of_its_day():
    times = [dt.datetime(2026, 1, day, hour, tzinfo=dt.UTC) for day in (5, 6, 7) for hour in (10, 14, 18)]
    closes = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0, 107.0, 108.0]
    data = {"A": dict(zip(times, closes, strict=True))}
    result = run(ordered(market("A 2026-01-06 C 100"), at=3), data)  # bought on the day itself
    (done,) = result.fills
    hours = 24.0 - 14.0
    assert done.price == pytest.approx(black_scholes(104.0, 100.0, hours / (24.0 * 365.0), 0.2), rel=1e-12)
    (end,) = result.account.settlements
    assert (end.price, end.time) == (5.0, times[6])
