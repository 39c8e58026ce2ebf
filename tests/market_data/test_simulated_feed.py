import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import FeedConfigError, UnknownTickerError
from bank_python.market_data.periods import PERIODS
from bank_python.market_data.simulated import SimulatedFeed
from bank_python.market_data.symbol_spec import SymbolKind, SymbolSpec
from bank_python.market_data.trading_clock import FIRST_OPEN, SESSION, TradingClock
from bank_python.market_data.universe import OPTIONABLE, default_universe

SYMBOLS = sorted(spec.symbol for spec in default_universe())
DAILY = SESSION


def quotes(feed, symbols):
    return {tick.symbol: tick.price.hex() for tick in feed.poll(symbols).ticks}


@pytest.fixture(scope="module")
def run():
    """Closes of four simulated years of daily steps, (n_steps, n_symbols), by symbol."""
    feed = SimulatedFeed(seed=20, step=DAILY)
    rows = [[tick.price for tick in feed.poll(SYMBOLS).ticks] for _ in range(1008)]
    return dict(zip(SYMBOLS, np.array(rows).T, strict=True))


def log_returns(run, symbols):
    return np.array([np.diff(np.log(run[symbol])) for symbol in symbols])


def mean_correlation(a, b):
    return float(np.mean([np.corrcoef(x, y)[0, 1] for x in a for y in b]))


def test_same_seed_same_market_to_the_bit():
    one, two = SimulatedFeed(seed=5), SimulatedFeed(seed=5)
    assert [one.poll(SYMBOLS) for _ in range(5)] == [two.poll(SYMBOLS) for _ in range(5)]
    assert one.history("MSFT", "1y") == two.history("MSFT", "1y")


def test_another_seed_is_another_market():
    one, two = SimulatedFeed(seed=5), SimulatedFeed(seed=6)
    assert one.poll(["MSFT"]) != two.poll(["MSFT"])
    assert one.history("MSFT", "1y") != two.history("MSFT", "1y")


@given(st.lists(st.lists(st.sampled_from(SYMBOLS), max_size=8), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_numbers_do_not_depend_on_which_symbols_are_polled_or_in_what_order(polls):
    whole, part = SimulatedFeed(seed=11), SimulatedFeed(seed=11)
    for asked in polls:
        everything = quotes(whole, SYMBOLS)
        assert quotes(part, asked) == {symbol: everything[symbol] for symbol in asked}


def test_asking_for_history_does_not_move_the_market():
    asked, unasked = SimulatedFeed(seed=2), SimulatedFeed(seed=2)
    asked.history("AAPL", "max")
    assert asked.poll(SYMBOLS) == unasked.poll(SYMBOLS)


@given(before=st.integers(0, 6), after=st.integers(1, 4), seed=st.integers(0, 2**64))
@settings(max_examples=8, deadline=None)
def test_a_resumed_market_goes_on_bit_for_bit(before, after, seed):
    through = SimulatedFeed(seed=seed)
    for _ in range(before):
        through.poll(["AAPL"])
    resumed = SimulatedFeed.resume(json.loads(json.dumps(through.state())))
    for _ in range(after):
        assert resumed.poll(SYMBOLS) == through.poll(SYMBOLS)
    assert resumed.history("AAPL", "5d") == through.history("AAPL", "5d")


@pytest.mark.parametrize(
    "change", [{"version": 99}, {"universe": "x"}, {"deviation": [0.0]}, {"seed": -1}, {"steps": "x"}]
)
def test_a_state_that_does_not_fit_is_refused(change):
    with pytest.raises(FeedConfigError):
        SimulatedFeed.resume(SimulatedFeed(seed=1).state() | change)


def test_a_state_that_lacks_something_is_refused():
    state = SimulatedFeed(seed=1).state()
    del state["deviation"]
    with pytest.raises(FeedConfigError, match="deviation"):
        SimulatedFeed.resume(state)


def test_what_must_be_positive_is_positive(run):
    for spec in default_universe():
        if spec.kind.is_lognormal:
            assert run[spec.symbol].min() > 0.0, spec
    assert all(np.isfinite(path).all() for path in run.values())


def test_correlation_is_higher_within_a_sector_than_across(run):
    energy = log_returns(run, ["XOM", "CVX", "COP", "EOG"])
    banks = log_returns(run, ["JPM", "BAC", "C", "WFC"])
    within = np.mean([np.corrcoef(block)[np.triu_indices(4, 1)].mean() for block in (energy, banks)])
    across = mean_correlation(energy, banks)
    # The loadings say 0.50² + 0.55² within and 0.50² across; the common regime moves both a little.
    assert within == pytest.approx(0.5525, abs=0.06)
    assert across == pytest.approx(0.25, abs=0.06)


def test_the_market_falls_when_volatility_rises(run):
    index, vix = log_returns(run, ["SPY", "VIX"])
    assert np.corrcoef(index, vix)[0, 1] < -0.3


def test_volatility_comes_in_spells(run):
    vix = run["VIX"][:-1]
    moves = np.abs(log_returns(run, ["SPY", "QQQ", "IWM"])).mean(axis=0)
    calm, storm = moves[vix < np.quantile(vix, 0.3)].mean(), moves[vix > np.quantile(vix, 0.7)].mean()
    assert storm > 1.3 * calm


def test_volatility_reverts_to_its_mean(run):
    vix = np.log(run["VIX"])
    slope = np.polyfit(vix[:-1] - vix.mean(), np.diff(vix), 1)[0]
    # Exactly e^(-k dt) - 1 with k = 12 and a day's dt; the estimate is biased downward, a random walk gives about 0.
    assert -0.10 < slope < -0.02


def test_realised_volatility_is_near_the_one_asked_for(run):
    (returns,) = log_returns(run, ["EURUSD"])
    assert returns.std() * np.sqrt(252) == pytest.approx(0.075, rel=0.08)


def test_rates_drift_and_stay_near_their_level(run):
    sofr = run["SOFR"]
    assert 0.0 < np.abs(np.diff(sofr)).mean() < 0.002
    assert 0.01 < sofr.min() < sofr.max() < 0.08


def test_credit_spreads_blow_out_upward(run):
    spread = np.diff(np.log(run["F_CDS"]))
    assert spread.max() > 6.0 * np.median(np.abs(spread))
    assert spread.max() > -1.5 * spread.min()  # the jumps have a direction
    assert np.mean((spread - spread.mean()) ** 3) / spread.std() ** 3 > 1.0


def test_the_dollar_moves_all_pairs(run):
    euro, yen = log_returns(run, ["EURUSD", "USDJPY"])
    assert np.corrcoef(euro, yen)[0, 1] < -0.3


def test_funding_goes_both_ways(run):
    assert run["BTC_FUNDING"].min() < 0.0 < run["BTC_FUNDING"].max()


def test_the_past_ends_at_the_starting_quotes():
    feed = SimulatedFeed(seed=4)
    for spec in feed.universe:
        last = feed.history(spec.symbol, "1d").bars
        assert len(last) == 1
        assert last[0].close == spec.price
        assert last[0].date == datetime(2026, 1, 2, tzinfo=UTC) < FIRST_OPEN


@pytest.mark.parametrize("symbol", ["AAPL", "SOFR", "F_CDS", "VIX", "EURUSD", "BTC", "BTC_FUNDING"])
def test_bars_of_the_past_hold_together(symbol):
    for bar in SimulatedFeed(seed=4).history(symbol, "max").bars:
        assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high, bar
        assert bar.date.weekday() < 5


def test_volume_is_there_where_something_is_counted():
    feed = SimulatedFeed(seed=4)
    assert all(bar.volume > 0 and bar.volume == int(bar.volume) for bar in feed.history("AAPL", "1mo").bars)
    assert all(bar.volume is None for bar in feed.history("SOFR", "1mo").bars)


@pytest.mark.parametrize("period", PERIODS)
def test_every_period_is_a_tail_of_the_longest(period):
    feed = SimulatedFeed(seed=4)
    whole, part = feed.history("JPM", "max").bars, feed.history("JPM", period).bars
    assert part == whole[len(whole) - len(part) :]
    assert len(part) == {"1d": 1, "5d": 5, "ytd": 2, "max": 2520}.get(period, len(part))


def test_the_past_is_correlated_as_the_future_is():
    feed = SimulatedFeed(seed=9)
    closes = {s: [bar.close for bar in feed.history(s, "max").bars] for s in ("XOM", "CVX", "JPM")}
    oil, chevron, bank = (np.diff(np.log(closes[s])) for s in ("XOM", "CVX", "JPM"))
    assert np.corrcoef(oil, chevron)[0, 1] > np.corrcoef(oil, bank)[0, 1] + 0.15


def test_time_begins_at_a_fixed_monday_and_skips_nights_and_weekends():
    clock = TradingClock(timedelta(minutes=30))
    assert clock.time(0) == FIRST_OPEN
    assert clock.time(12).isoformat() == "2026-01-05T20:30:00+00:00"
    assert clock.time(13).isoformat() == "2026-01-06T14:30:00+00:00"
    assert clock.time(5 * 13).isoformat() == "2026-01-12T14:30:00+00:00"
    assert clock.years_per_step == pytest.approx(1 / (252 * 13))


@pytest.mark.parametrize("step", [timedelta(0), timedelta(seconds=-1), timedelta(hours=7)])
def test_a_step_that_does_not_fit_a_session_is_refused(step):
    with pytest.raises(FeedConfigError):
        SimulatedFeed(seed=1, step=step)


def test_an_unknown_symbol_fails_with_close_matches():
    feed = SimulatedFeed(seed=1)
    poll = feed.poll(["AAPL", "APPL"])
    assert [tick.symbol for tick in poll.ticks] == ["AAPL"]
    assert "AAPL" in poll.failures[0].reason
    with pytest.raises(UnknownTickerError, match="AAPL") as caught:
        feed.history("APPL", "1mo")
    assert caught.value.ticker == "APPL"


def test_the_universe_has_what_the_desk_needs():
    market = {spec.symbol: spec for spec in default_universe()}
    assert len(market) == len(default_universe())
    by_kind = {kind: [s for s in market.values() if s.kind is kind] for kind in SymbolKind}
    assert len(by_kind[SymbolKind.EQUITY]) >= 180
    assert {"EURUSD", "GBPUSD", "USDJPY", "USDCHF", "AUDUSD", "USDCAD"} == {s.symbol for s in by_kind[SymbolKind.FX]}
    assert {"SOFR", "VIX", "CDX_IG", "CDX_HY", "F_CDS", "BTC", "ETH", "SOL", "SPY", "TLT", "BTC_FUNDING"} <= set(market)
    assert all(market[f"{name}_VOL"].price > market[name].volatility for name in OPTIONABLE)
    assert all(spec.sector for spec in market.values())


def test_a_universe_of_ones_own_needs_no_volatility_index():
    acme = SymbolSpec("ACME", SymbolKind.EQUITY, "Industrials", price=40.0, volatility=0.0)
    feed = SimulatedFeed(seed=1, universe=[acme])
    assert [feed.poll(["ACME"]).ticks[0].price for _ in range(3)] == [40.0] * 3


@pytest.mark.parametrize("seed", [-1, 1.5, "1", None])
def test_a_seed_that_is_no_whole_number_is_refused(seed):
    with pytest.raises(FeedConfigError, match="seed"):
        SimulatedFeed(seed=seed)


def test_an_empty_universe_and_a_repeated_symbol_are_refused():
    acme = SymbolSpec("ACME", SymbolKind.EQUITY, "Industrials", price=40.0, volatility=0.2)
    with pytest.raises(FeedConfigError, match="empty"):
        SimulatedFeed(universe=[])
    with pytest.raises(FeedConfigError, match="ACME"):
        SimulatedFeed(universe=[acme, acme])


@pytest.mark.parametrize(
    "terms",
    [
        {"price": 0.0},
        {"price": float("nan")},
        {"volatility": -0.1},
        {"volatility": float("inf")},
        {"market_loading": 0.8, "factor_loading": 0.7},
        {"mean_reversion": -1.0},
        {"jump_size": -1.0},
        {"volume": 0.0},
        {"symbol": ""},
    ],
)
def test_a_symbol_with_impossible_terms_is_refused(terms):
    fine = {"symbol": "ACME", "kind": SymbolKind.EQUITY, "sector": "x", "price": 40.0, "volatility": 0.2}
    SymbolSpec(**fine)
    with pytest.raises(FeedConfigError):
        SymbolSpec(**fine | terms)


def test_a_rate_may_start_below_zero():
    rate = SymbolSpec("ESTR", SymbolKind.RATE, "Rates", price=-0.005, volatility=0.0)
    assert SimulatedFeed(universe=[rate]).poll(["ESTR"]).ticks[0].price == -0.005
