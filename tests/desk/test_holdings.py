"""What traders hold: each kind says which contract it is, how many units, and with which multiplier."""

from dataclasses import dataclass
from types import MappingProxyType

import pytest

from bank_python import BarbaraDB, Desk, build_desk
from bank_python.barbara import storable
from bank_python.desk import TraderSpec
from bank_python.desk.contracts import BONDS, PROTECTION_NOTIONAL
from bank_python.desk.holdings import Bonds, Coins, Currency, Holding, Options, Protection, Shares
from bank_python.instruments import Bond, CreditDefaultSwap, Equity, FXRate, Option

KINDS = MappingProxyType(
    {
        Shares("NVDA", -7.0): (Equity, "NVDA", -7.0, 1.0),
        Coins("BTC", 2.5): (Equity, "BTC", 2.5, 1.0),
        Currency("EURUSD", 1e6): (FXRate, "EURUSD", 1e6, 1.0),
        Bonds("UST2Y_NOTE", 40.0): (Bond, "UST2Y_NOTE", 40.0, 1.0),
        Protection("CDX_IG", 3.0): (CreditDefaultSwap, "CDX_IG_5Y", 3.0, 1.0),
        Options("NVDA", 1.1, 0.5, -20.0, is_call=False): (Option, None, -20.0, 100.0),
    }
)


@pytest.fixture(scope="module")
def desk():
    return build_desk(seed=7, traders=[TraderSpec("Ann", "test", "all kinds", tuple(KINDS))])


@pytest.mark.parametrize(("holding", "expected"), KINDS.items(), ids=lambda item: type(item).__name__)
def test_a_holding_knows_its_contract_units_and_multiplier(desk, holding, expected):
    kind, name, units, multiplier = expected
    contract = holding.contract(desk.graph, desk.clock)
    assert type(contract) is kind
    assert name in (None, contract.name)
    assert (holding.units, holding.multiplier) == (units, multiplier)
    held = desk.traders["Ann"].position_in(contract)
    assert (held.quantity, held.multiplier) == (units, multiplier)
    assert held.value == pytest.approx(contract.value * units * multiplier, rel=1e-12)


def test_contracts_have_the_terms_of_the_desks_tables(desk):
    bond = Bonds("UST2Y_NOTE", 1.0).contract(desk.graph, desk.clock)
    assert (bond.coupon_rate, bond.maturity) == (BONDS["UST2Y_NOTE"].coupon_rate, BONDS["UST2Y_NOTE"].maturity)
    swaps = {name: Protection(name, 1.0).contract(desk.graph, desk.clock) for name in ("CDX_IG", "CDX_HY")}
    assert {name: swap.coupon for name, swap in swaps.items()} == {"CDX_IG": 0.01, "CDX_HY": 0.05}
    assert {swap.notional for swap in swaps.values()} == {PROTECTION_NOTIONAL}
    option = Options("NVDA", 1.1, 0.5, 1.0).contract(desk.graph, desk.clock)
    assert option.is_call
    assert option.strike == pytest.approx(1.1 * desk.leaf("NVDA").price, rel=0.01)


def test_a_holding_is_moved_to_another_underlying():
    put = Options("NVDA", 1.1, 0.5, -20.0, is_call=False)
    assert put.moved_to("AMD") == Options("AMD", 1.1, 0.5, -20.0, is_call=False)
    assert put.moved_to("NVDA") is put


@storable("tests.desk.Pairs", version=1)
@dataclass(frozen=True, slots=True)
class Pairs(Holding):
    """Shares by the two: a kind of one's own."""

    pairs: float

    multiplier = 2.0
    is_listed = True
    has_volatility = False

    @property
    def units(self):
        return self.pairs

    def contract(self, graph, clock):  # noqa: ARG002 - the signature of all kinds
        return graph.node(self.symbol)


def test_a_kind_of_ones_own_is_opened_and_kept(tmp_path):
    path = tmp_path / "desk.db"
    spec = TraderSpec("Ann", "test", "pairs", (Pairs("NVDA", 10.0),))
    with build_desk(seed=7, traders=[spec], db=BarbaraDB.open("desk;default", path=path)) as desk:
        value = desk.firm_value.value
        assert value == 20.0 * desk.leaf("NVDA").price
    with Desk.open(path) as again:
        assert again.firm_value.value == value
