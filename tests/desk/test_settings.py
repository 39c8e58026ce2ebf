"""The settings of a desk in its store, and whether its opening holdings fit them."""

import dataclasses
import inspect
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.barbara import BarbaraDB
from bank_python.desk import Desk, DeskSettings, build_desk, read_settings, unset_setting, write_setting
from bank_python.desk.settings import CONFIG, SETTINGS
from bank_python.errors import DeskError
from bank_python.risk import GreekExposure


@pytest.fixture
def db():
    with BarbaraDB.open("desk;default", path=":memory:") as store:
        yield store


def test_each_setting_is_a_field_with_a_default_and_a_line_of_documentation():
    fields = {item.name: item.default for item in dataclasses.fields(DeskSettings)}
    assert list(fields) == list(SETTINGS)
    described = inspect.getdoc(DeskSettings)
    for key, default in fields.items():
        assert f"{key} : float, default {default:,.10g}\n" in described


def test_a_store_without_settings_has_the_defaults(db):
    assert read_settings(db) == DeskSettings()
    assert db.keys(CONFIG) == []


def test_a_setting_is_one_record_and_leaves_the_others(db):
    assert write_setting(db, "max_delta", 1e5) == 1e5
    assert write_setting(db, "signals_every", "30") == 30.0
    assert read_settings(db) == DeskSettings(max_delta=1e5, signals_every=30.0)
    assert db.keys(CONFIG) == ["/Config/max_delta", "/Config/signals_every"]
    assert unset_setting(db, "max_delta") == DeskSettings().max_delta
    assert unset_setting(db, "max_delta") == DeskSettings().max_delta
    assert read_settings(db) == DeskSettings(signals_every=30.0)


def test_the_shared_ring_gives_defaults_that_a_desk_overrides_and_does_not_remove(tmp_path):
    with BarbaraDB.open("default", path=tmp_path / "store.db") as shared:
        write_setting(shared, "max_vega", 5e4)
    with BarbaraDB.open("desk;default", path=tmp_path / "store.db") as db:
        assert read_settings(db).max_vega == 5e4
        write_setting(db, "max_vega", 6e4)
        assert unset_setting(db, "max_vega") == 5e4
        assert unset_setting(db, "max_vega") == 5e4


@settings(max_examples=60)
@given(
    key=st.sampled_from([*SETTINGS]),
    value=st.floats() | st.integers() | st.booleans() | st.none() | st.text(max_size=4),
)
def test_only_numbers_in_the_range_are_stored(key, value):
    with BarbaraDB.open("desk", path=":memory:") as db:
        refused = None
        try:
            written = write_setting(db, key, value)
        except DeskError as error:
            refused, written = error, getattr(DeskSettings(), key)
        assert isinstance(written, float)
        assert SETTINGS[key].has(written)
        assert read_settings(db) == dataclasses.replace(DeskSettings(), **{key: written})
        assert refused is None or (refused.name == key and SETTINGS[key].range in str(refused))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("max_delta", -1.0, "give a number from 0 on (USD per 1 %)"),
        ("trader_loss_limit", 50_000, "give a number at most 0 (USD)"),
        ("participation_cap_pct", 0, "give a number above 0 to 100 (%)"),
        ("spread_bps", "two", "give a number from 0 to 10,000 (bp)"),
        ("signals_every", math.inf, "give a number from 1 to 86,400 (s)"),
    ],
)
def test_a_wrong_value_is_answered_with_the_range(db, key, value, said):
    with pytest.raises(DeskError, match=key) as raised:
        write_setting(db, key, value)
    assert str(raised.value).endswith(said)
    with pytest.raises(DeskError, match=key):
        DeskSettings(**{key: value})


def test_unknown_settings_are_answered_with_the_known_ones(db):
    with pytest.raises(DeskError, match="did you mean 'max_delta'"):
        write_setting(db, "max_delt", 1.0)
    with pytest.raises(DeskError, match="the settings are max_position_notional, "):
        unset_setting(db, "colour")
    with pytest.raises(DeskError, match="there is no setting"):
        write_setting(db, ["max_delta"], 1.0)


def test_a_stored_value_that_is_wrong_is_named(db):
    db["/Config/max_vega"] = "much"
    with pytest.raises(DeskError, match="max_vega='much'"):
        read_settings(db)


def test_limits_can_be_switched_off(db):
    write_setting(db, "max_vega", math.inf)
    write_setting(db, "desk_loss_limit", "-inf")
    assert (read_settings(db).max_vega, read_settings(db).desk_loss_limit) == (math.inf, -math.inf)


def test_a_desk_keeps_its_settings_and_copies_have_them(tmp_path):
    with build_desk(seed=7, db=tmp_path / "desk.db") as desk:
        write_setting(desk.db, "max_delta", 1e5)
        with Desk.open(tmp_path / "desk.db", read_only=True) as copy:
            assert read_settings(copy.db).max_delta == 1e5
    with Desk.open(tmp_path / "desk.db") as desk:
        assert read_settings(desk.db).max_delta == 1e5


@pytest.mark.parametrize("seed", [0, 7])
def test_the_opening_holdings_of_the_built_in_traders_are_within_the_defaults(seed):
    desk, limits = build_desk(seed=seed), DeskSettings()
    rate = float(desk.leaf("USDJPY").value)
    for trader in desk.traders:
        values = [abs(p.value) / (rate if p.currency == "JPY" else 1.0) for p in trader.positions]
        capital = max(limits.trader_capital, sum(values))
        assert max(values) < 0.5 * limits.max_position_notional
        assert max(values) < 0.9 * limits.max_concentration_pct / 100.0 * capital
        assert max(values) < limits.max_order_notional
        assert sum(values) < limits.trader_capital
        assert abs(GreekExposure("delta")([trader.book])) < 0.9 * limits.max_delta
        assert abs(GreekExposure("vega")([trader.book])) < 0.9 * limits.max_vega
