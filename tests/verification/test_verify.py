"""Verification: what differs is found and named, failures are rows, and the command exits with 1."""

from __future__ import annotations

import json
import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.cli import main
from bank_python.cli import run as run_program
from bank_python.cli.desk import desk_program
from bank_python.display import as_text
from bank_python.errors import VerificationError
from bank_python.risk_models import black_scholes_price
from bank_python.verification import (
    Agreement,
    Cited,
    Provenance,
    PublishedValue,
    Source,
    options,
    published_values,
    topics,
    verify,
    verify_values,
)

HULL = Cited("options", Source("J. C. Hull", 2018, "Options, Futures, and Other Derivatives"), Provenance.QUOTED)
CATALOGUE = "bank_python.verification.catalogue._TOPICS"


def call(compute, printed="4.76", key="hull-call", **more):
    return HULL.value(key, "call, S 42, K 40", printed, compute, **more)


def right():
    return black_scholes_price(42.0, 40.0, 0.5, 0.10, 0.20)


def put_for_call():
    return black_scholes_price(42.0, 40.0, 0.5, 0.10, 0.20, is_call=False)


def without_interest():
    return black_scholes_price(42.0, 40.0, 0.5, 0.0, 0.20)


def vol_of_a_percent_more():
    return black_scholes_price(42.0, 40.0, 0.5, 0.10, 0.21)


# --- comparing ------------------------------------------------------------------------------------


def test_a_right_formula_agrees():
    found = verify_values([call(right)])
    (row,) = found.rows
    assert row.agreement is Agreement.OK
    assert row.difference == pytest.approx(-0.000578, abs=1e-6)
    assert found.is_ok
    found.check()


@pytest.mark.parametrize("wrong", [put_for_call, without_interest, vol_of_a_percent_more])
def test_a_wrong_formula_is_reported(wrong):
    found = verify_values([call(right, key="before"), call(wrong), call(right, key="after")])
    assert [row.agreement.value for row in found.rows] == ["ok", "differs", "ok"]
    assert found["hull-call"].difference == pytest.approx(float(wrong()) - 4.76)
    assert not found.is_ok
    with pytest.raises(VerificationError, match=r"1 of 3 values do not agree with their source: hull-call;") as caught:
        found.check()
    assert caught.value.keys == ("hull-call",)
    assert "1 of 3 values do not agree" in as_text(found, lines=60)


def test_a_formula_of_the_library_that_goes_wrong_is_reported(monkeypatch):
    """The table computes with the library itself: a fault put into it shows in the rows that use it, and only there."""
    monkeypatch.setattr(options, "black_scholes_price", lambda *a, **k: 1.001 * black_scholes_price(*a, **k))
    differing = {row.value.key for row in verify("options").differing}
    assert differing >= {"haug-european-2", "haug-futures-call-0.5-0.35-110", "haug-elasticity"}
    assert not differing & {"hull-implied-vol", "haug-cash-or-nothing", "whaley-100-0.15", "hull-delta"}


@pytest.mark.parametrize(
    ("compute", "said"),
    [
        (lambda: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda: "4.76", "its computation returned str, not a number"),
        (lambda: None, "its computation returned NoneType, not a number"),
        (lambda: np.array([4.76, 4.76]), "its computation returned ndarray, not a number"),
        (lambda: 4.76 + 0j, "its computation returned complex, not a number"),
    ],
)
def test_a_failure_is_one_row_and_the_others_go_on(compute, said):
    found = verify_values([call(right, key="before"), call(compute), call(right, key="after")])
    assert [row.agreement.value for row in found.rows] == ["ok", "error", "ok"]
    assert found["hull-call"].error == said
    assert math.isnan(found["hull-call"].computed)
    assert [row["computed"] for row in found.to_table()][1] is None
    assert said in as_text(found, 200, 60)


@pytest.mark.parametrize("computed", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_differs(computed):
    (row,) = verify_values([call(lambda: computed)]).rows
    assert row.agreement is Agreement.DIFFERS
    assert "nan" in as_text(verify_values([call(lambda: computed)]), lines=60) or math.isinf(computed)


@pytest.mark.parametrize("kind", [float, np.float64, int, np.int64, np.array])
def test_numbers_of_all_kinds_are_taken(kind):
    assert verify_values([call(lambda: kind(5), "5")]).is_ok


def test_interrupts_are_not_swallowed():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify_values([call(interrupted)])


@given(st.integers(-(10**6), 10**6), st.integers(0, 6), st.floats(-3.0, 3.0))
def test_half_a_unit_of_the_last_digit_is_the_tolerance(whole, decimals, units):
    printed = f"{whole / 10**decimals:.{decimals}f}"
    value = call(lambda: value_of(printed) + units * 10.0**-decimals, printed)
    (row,) = verify_values([value]).rows
    if abs(abs(units) - 0.5) > 1e-6:  # at half a unit itself the rounding of the sum decides
        assert (row.agreement is Agreement.OK) == (abs(units) < 0.5), (printed, units)


def value_of(printed):
    return float(printed)


@pytest.mark.parametrize(
    ("printed", "number", "tolerance"),
    [("4.0870", 4.087, 5e-5), ("662,500", 662_500.0, 0.5), ("1.0812e12", 1.0812e12, 5e7), ("-0.05", -0.05, 5e-3)],
)
def test_prints(printed, number, tolerance):
    value = call(right, printed)
    assert (value.number, value.tolerance) == (number, pytest.approx(tolerance, rel=1e-12))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"printed": "four"}, "printed='four' is no finite number; give it as printed"),
        ({"printed": "nan"}, "printed='nan' is no finite number"),
        ({"printed": "4.7.6"}, "printed='4.7.6' is no finite number"),
        ({"key": "hull call"}, "key='hull call' is empty or has blanks"),
        ({"key": ""}, "key='' is empty or has blanks"),
        ({"within": 0.1}, r"within=0.1 needs .* a note; say why half a unit"),
        ({"within": -0.1, "note": "why"}, "within=-0.1 needs to be at least 0"),
        ({"within": math.nan, "note": "why"}, "within=nan needs to be at least 0 and finite"),
    ],
)
def test_entries_that_are_none(fields, said):
    with pytest.raises(VerificationError, match=said):
        call(right, **fields)


# --- choosing -------------------------------------------------------------------------------------


def test_topics_and_kinds():
    assert {row.value.topic for row in verify("bonds").rows} == {"bonds"}
    found = verify("credit", ["published"])
    assert found.counts("kind") == {"published": len(found)}
    assert found.counts("agreement") == {"ok": len(found)}
    assert verify("bonds", []).counts() == {}
    for kind in (Provenance.PUBLISHED, "published"):
        assert verify("credit", kind).to_json() == found.to_json()
    with pytest.raises(VerificationError, match="topic=5 is not"):
        verify(5)
    with pytest.raises(VerificationError, match=r"'hull-call' is no entry; give what Cited\.value"):
        verify_values(iter(["hull-call"]))
    with pytest.raises(VerificationError, match="is not a list in which each is a PublishedValue"):
        verify_values(["hull-call"])
    with pytest.raises(VerificationError, match=r"no topic 'bond'; there are options, barriers"):
        verify("bond")
    with pytest.raises(VerificationError, match="no kind 'guessed' of values; there are published, quoted, computed"):
        verify("bonds", ["guessed"])
    with pytest.raises(VerificationError, match="no value of the kind published in the topic 'smiles', which has"):
        verify("smiles", "published")
    with pytest.raises(VerificationError, match="no value 'x' was verified"):
        found["x"]
    with pytest.raises(VerificationError, match="not counted by 'page'; choose one of topic, kind, agreement"):
        found.counts("page")


def test_progress_counts_every_value():
    seen = []
    verify("bonds", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, len(seen)) for i in range(1, len(seen) + 1)]


def test_every_run_computes_anew():
    made = []
    value = call(lambda: made.append(1) or 4.76)
    verify_values([value])
    verify_values([value])
    assert len(made) == 2
    assert published_values()[0] is not published_values()[0]


def test_exports(tmp_path):
    found = verify("bonds")
    found.to_csv(tmp_path / "values.csv")
    rows = json.loads(found.to_json())
    assert len(rows) == len(found) == len((tmp_path / "values.csv").read_text(encoding="utf-8").splitlines()) - 1
    row = next(row for row in rows if row["key"] == "hull-bond-price")
    assert row["printed"] == "94.213"
    assert row["kind"] == "quoted"
    assert row["source"].startswith("J. C. Hull (2018)")
    assert row["agreement"] == "ok"
    assert row["difference"] == pytest.approx(row["computed"] - 94.213)


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that runs a program with arguments, and gives its exit code, stdout and stderr."""

    def done(*arguments, program=None, columns=80):
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys, "argv", ["program", *arguments])
        with pytest.raises(SystemExit) as ended:
            main() if program == "bank-python" else run_program(desk_program())
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return done


def one_wrong():
    yield call(right)
    yield call(put_for_call, key="wrong")
    yield call(lambda: 1 / 0, key="failing")


def test_all_agree_and_the_exit_code_is_0(run):
    code, out, err = run("verify")
    assert (code, err) == (0, "")
    assert f"All {len(published_values())} values agree with their sources" in out
    assert max(map(len, out.splitlines())) <= 80
    for topic in topics():
        assert topic.upper() in out
    assert "E. G. Haug (1998), The Complete Guide to Option Pricing Formulas" in out
    assert "…" not in out


def test_one_wrong_value_makes_the_exit_code_1(run, monkeypatch):
    monkeypatch.setattr(CATALOGUE, {"options": one_wrong})
    code, out, err = run("verify")
    assert code == 1
    assert err == (
        "error: 2 of 3 values do not agree with their source: wrong, failing; the rows marked 'differs' and 'error' "
        "say how\n"
    )
    assert "differs" in out
    assert "2 of 3 values do not agree with their sources" in out
    code, out, err = run("verify", "--json")
    told = json.loads(out)
    assert (code, told["ok"], told["differing"]) == (1, False, ["wrong", "failing"])
    assert [row["agreement"] for row in told["rows"]] == ["ok", "differs", "error"]
    assert told["rows"][2]["error"] == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize("program", ["bank-python", "prop_desk.py"])
def test_both_programs_have_it(run, program):
    code, out, _ = run("verify", "--topic", "bonds", "--json", program=program)
    told = json.loads(out)
    assert (code, told["command"], told["ok"]) == (0, "verify", True)
    assert told["topics"] == {"bonds": told["values"]}
    assert {row["topic"] for row in told["rows"]} == {"bonds"}


def test_options_of_the_command(run, tmp_path):
    path = tmp_path / "values.csv"
    code, out, _ = run("--plain", "verify", "--kind", "published", "--csv", str(path))
    assert (code, "\x1b" in out) == (0, False)
    assert "published" in path.read_text(encoding="utf-8")
    code, _, err = run("verify", "--topic", "bond")
    assert (code, err.startswith("error: no topic 'bond'; there are options")) == (1, True)
    code, _, err = run("verify", "--csv", str(tmp_path / "no" / "values.csv"))
    assert (code, "there is no folder" in err) == (1, True)
    code, _, err = run("--db", "desk.db", "verify", columns=200)
    assert code == 2
    assert "--db belongs to commands that have a desk, verify has none; leave it out" in err


def test_entries_can_be_made_by_hand():
    value = PublishedValue("mine", "own", "two", Source("Me", None, "notes"), Provenance.COMPUTED, "2", lambda: 2)
    assert verify_values([value]).is_ok
    assert value.source.citation == "Me, notes"
