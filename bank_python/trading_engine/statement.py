r"""The state of an account at given prices: value, and P&L by instrument and cause.

In each currency, and in that of the ledger with the exchange rates of the statement,

.. math:: \text{equity} = \text{cash} + \text{positions}, \qquad
   \text{equity} - \text{deposits} = \text{realised} + \text{unrealised} + \text{income} - \text{fees} + \text{currency}

to the cent. P&L in a foreign currency is converted at the statement's rate. The rest is the *currency gain*: what
deposits and conversions have gained since they were made, and the rounding of converted cents; it is exactly 0 in a
ledger of one currency.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bank_python.errors import TradingError
from bank_python.plotting import Plotted, hatch_losses, literal, money, nothing
from bank_python.results import Tabular
from bank_python.trading_engine.ledger_state import LedgerState, cash_name
from bank_python.trading_engine.money import ZERO, checked_number, exact, exactly, rounded, total

if TYPE_CHECKING:
    import datetime as dt

    from matplotlib.axes import Axes

    from bank_python.mntable import Table

__all__ = ["Statement", "StatementRow", "exchange_rates", "prices_of", "statement_of", "values_of"]

_COLUMNS = ("quantity", "price", "exposure", "value", "realised", "unrealised", "income", "fees", "pnl")
_MOST_DRAWN = 20


@dataclass(frozen=True, slots=True)
class StatementRow(Tabular):
    """An instrument, or the cash of a currency, in a statement; amounts are in the row's currency.

    Parameters
    ----------
    instrument, currency : str
        Name and currency.
    rate : float
        Value of one unit of the currency in that of the ledger.
    quantity : float
        Number of units held, negative if short; the balance for cash.
    price : float or None
        Price per unit; None for cash, and if nothing is held.
    exposure : float
        Quantity times price times multiplier.
    value : float
        Part of the equity: the exposure, for margined instruments the unrealised P&L.
    realised, unrealised : float
        P&L before fees of what was closed, and of what is held.
    income, fees : float
        Dividends, interest and funding received, and fees paid.
    """

    instrument: str
    currency: str
    rate: float
    quantity: float
    price: float | None
    exposure: float
    value: float
    realised: float
    unrealised: float
    income: float
    fees: float

    @property
    def pnl(self) -> float:
        """Realised and unrealised P&L and income, less fees."""
        return self.realised + self.unrealised + self.income - self.fees

    def to_table(self) -> Table:
        """Return a table of one row."""
        return _table((self,))

    def __rich__(self) -> object:
        from bank_python.render_ledger import statement_row_view

        return statement_row_view(self)


@dataclass(frozen=True, slots=True, repr=False)
class Statement(Plotted, Tabular):
    """An account at given prices; totals are in the currency of the ledger.

    Parameters
    ----------
    currency : str
        Currency of the ledger.
    last : date or datetime or None
        Time of the last event.
    rows : tuple of StatementRow
        Instruments and cash with a balance or a P&L, cash last.
    cash, positions : float
        Cash, and value of the positions; for margined instruments their unrealised P&L.
    equity : float
        Sum of cash and positions.
    deposits : float
        Net deposits, each at the rate of its day.
    realised, unrealised, income, fees : float
        Totals of the rows.
    currency_gain : float
        Gain of deposits and conversions by exchange rates.
    """

    currency: str
    last: dt.date | None
    rows: tuple[StatementRow, ...]
    cash: float
    positions: float
    equity: float
    deposits: float
    realised: float
    unrealised: float
    income: float
    fees: float
    currency_gain: float

    @property
    def pnl(self) -> float:
        """Equity less net deposits."""
        return float(exact(self.equity) - exact(self.deposits))

    @property
    def exposures(self) -> dict[str, float]:
        """Quantity times price times multiplier by instrument held, in the currency of the ledger."""
        return {row.instrument: row.exposure * row.rate for row in self.rows if row.price is not None}

    @property
    def gross(self) -> float:
        """Sum of the absolute exposures."""
        return math.fsum(map(abs, self.exposures.values()))

    @property
    def leverage(self) -> float | None:
        """Absolute exposures divided by the equity; None if the equity is not above 0."""
        return self.gross / self.equity if self.equity > 0.0 else None

    def __getitem__(self, instrument: str) -> StatementRow:
        """Return the row of an instrument, or of cash by a name such as "USD cash"."""
        for row in self.rows:
            if row.instrument == instrument:
                return row
        raise TradingError(
            f"the statement has no {instrument!r}; it has {', '.join(row.instrument for row in self.rows)}",
            name="instrument",
            value=instrument,
        )

    def to_table(self) -> Table:
        """Return a table with a row for each instrument and each currency of cash, in the row's currency."""
        return _table(self.rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the P&L by instrument, largest first."""
        largest = sorted(self.rows, key=lambda row: -abs(row.pnl * row.rate))[:_MOST_DRAWN]
        if not largest:
            nothing(axes, "no positions and no P&L")
            return
        amounts = [row.pnl * row.rate for row in largest]
        bars = axes.barh(range(len(largest)), amounts)
        hatch_losses(bars, amounts)
        axes.set_yticks(range(len(largest)), [literal(row.instrument) for row in largest])
        axes.invert_yaxis()
        money(axes.xaxis)
        axes.set_xlabel(literal(f"P&L, {self.currency}"))
        axes.set_title(literal(f"Equity {self.equity:,.2f}, P&L {self.pnl:+,.2f} {self.currency}"))

    def __rich__(self) -> object:
        from bank_python.render_ledger import statement_view

        return statement_view(self)


def _table(rows: tuple[StatementRow, ...]) -> Table:
    from bank_python.mntable import Table

    schema: list[tuple[str, Any]] = [("instrument", str), ("currency", str), ("rate", float)]
    schema += [(name, float | None if name == "price" else float) for name in _COLUMNS]
    return Table.from_rows(schema, [{name: getattr(row, name) for name, _ in schema} for row in rows])


def prices_of(prices: Any, of: str = "prices") -> dict[str, Any]:
    """Return prices or rates by name from a mapping or a pandas Series."""
    if isinstance(prices, Mapping):
        return dict(prices)
    if hasattr(prices, "index") and hasattr(prices, "items"):
        return dict(prices.items())
    said = f"{of}={prices!r} is not a mapping of names to numbers; give a dict or a Series"
    raise TradingError(said, name=of, value=prices)


def exchange_rates(state: LedgerState, fx: Any) -> dict[str, Decimal]:
    """Return the value of one unit of each currency with a balance or a P&L, in that of the ledger.

    Parameters
    ----------
    state : LedgerState
        State of the account.
    fx : mapping of str to float, or None
        Rates by currency ("EUR": 1.08) or by pair ("EURUSD": 1.08, or "USDEUR": 0.926).

    Raises
    ------
    TradingError
        A rate is missing, or not a number above 0.
    """
    base, given = state.settings.currency, {} if fx is None else prices_of(fx, "fx")
    used = {*state.cash, *state.deposits, *state.conversions}
    used |= {state.currency_of(name) for name in (*state.positions, *state.realised, *state.income, *state.fees)}
    return {c: Decimal(1) if c == base else _rate(c, base, given) for c in state.settings.digits if c in used | {base}}


def _rate(currency: str, base: str, given: Mapping[str, Any]) -> Decimal:
    for name in (currency, f"{currency}{base}"):
        if name in given:
            return exact(checked_number(given[name], name, "fx", above_zero=True))
    inverse = f"{base}{currency}"
    if inverse in given:
        return 1 / exact(checked_number(given[inverse], inverse, "fx", above_zero=True))
    said = f"fx: there is no rate for {currency}; give the value of one {currency} in {base}, as fx={{{currency!r}: …}}"
    raise TradingError(said, name="fx", value=currency)


@exactly
def statement_of(state: LedgerState, prices: Any, fx: Any = None) -> Statement:
    """Return the statement of a state at prices; see :meth:`Ledger.statement`."""
    rates, worth = exchange_rates(state, fx), _worths(state, prices_of(prices))
    base, digits = state.settings.currency, state.settings.digits
    equity, positions = _values(state, worth, rates)
    causes = {"realised": state.realised, "income": state.income, "fees": state.fees}
    causes["unrealised"] = {name: amount - state.positions[name].lots.cost for name, (_, amount) in worth.items()}
    totals = {
        cause: total(rounded(v * rates[state.currency_of(name)], digits[base]) for name, v in amounts.items())
        for cause, amounts in causes.items()
    }
    explained = totals["realised"] + totals["unrealised"] + totals["income"] - totals["fees"]
    return Statement(
        currency=base,
        last=state.last,
        rows=_rows(state, worth, rates, causes),
        cash=float(equity - positions),
        positions=float(positions),
        equity=float(equity),
        deposits=float(state.deposited),
        **{cause: float(amount) for cause, amount in totals.items()},
        currency_gain=float(equity - state.deposited - explained),
    )


@exactly
def values_of(state: LedgerState, prices: Mapping[str, Any], fx: Any = None) -> tuple[Decimal, Decimal]:
    """Return the equity and the value of the positions at prices, exact, without the rest of a statement."""
    return _values(state, _worths(state, prices), exchange_rates(state, fx))


def _values(
    state: LedgerState, worth: Mapping[str, tuple[float, Decimal]], rates: Mapping[str, Decimal]
) -> tuple[Decimal, Decimal]:
    digits, values = state.settings.digits[state.settings.currency], dict.fromkeys(rates, ZERO)
    for name, held in state.positions.items():
        values[held.currency] += worth[name][1] - (held.lots.cost if held.terms.margined else ZERO)
    positions = total(rounded(values[c] * rate, digits) for c, rate in rates.items())
    equity = total(rounded((state.cash.get(c, ZERO) + values[c]) * rate, digits) for c, rate in rates.items())
    return equity, positions


def _worths(state: LedgerState, given: Mapping[str, Any]) -> dict[str, tuple[float, Decimal]]:
    return {name: _worth(state, name, given) for name in state.positions}


def _worth(state: LedgerState, name: str, given: Mapping[str, Any]) -> tuple[float, Decimal]:
    """Return the price of a position and its exposure."""
    if name not in given:
        held = state.positions[name]
        said = f"prices: there is none for {name!r}, of which {held.quantity:g} units are held; give one"
        raise TradingError(said, name=name, value=None)
    price = checked_number(given[name], name, "prices")
    return price, state.positions[name].lots.value(price)


def _rows(
    state: LedgerState,
    worth: Mapping[str, tuple[float, Decimal]],
    rates: Mapping[str, Decimal],
    causes: Mapping[str, Mapping[str, Decimal]],
) -> tuple[StatementRow, ...]:
    cash = [cash_name(currency) for currency in state.settings.digits if currency in rates]
    seen = {name for amounts in (state.positions, *causes.values()) for name in amounts}
    named = [
        *sorted(seen - set(cash)),
        *(name for name in cash if name in seen or state.cash.get(name[: -len(" cash")])),
    ]
    return tuple(_row(state, name, worth.get(name), rates, causes, is_cash=name in cash) for name in named)


def _row(
    state: LedgerState,
    name: str,
    worth: tuple[float, Decimal] | None,
    rates: Mapping[str, Decimal],
    causes: Mapping[str, Mapping[str, Decimal]],
    *,
    is_cash: bool,
) -> StatementRow:
    currency = state.currency_of(name)
    amounts = {cause: float(known.get(name, ZERO)) for cause, known in causes.items()}
    price, exposure = worth or (None, ZERO)
    quantity = value = state.cash.get(currency, ZERO) if is_cash else ZERO
    if worth is not None:
        held = state.positions[name]
        quantity, value = held.lots.units, exposure - (held.lots.cost if held.terms.margined else ZERO)
    return StatementRow(
        instrument=name,
        currency=currency,
        rate=float(rates[currency]),
        quantity=float(quantity),
        price=price,
        exposure=float(exposure),
        value=float(value),
        **amounts,
    )
