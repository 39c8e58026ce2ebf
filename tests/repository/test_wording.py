"""One guess at mistyped names, and no frozen value that writes into itself."""

from __future__ import annotations

import re

import pytest

from bank_python.wording import did_you_mean, message_of, near_names


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("APPL", ["MSFT", "AAPL"], ("AAPL",)),
        ("appl", ["MSFT", "AAPL"], ("AAPL",)),
        ("stike", ["strike", "Strike", "STRIKE"], ("STRIKE", "Strike", "strike")),
        ("zzz", ["strike"], ()),
        (None, ["strike"], ()),
        ("x", [], ()),
    ],
)
def test_near_names(name, known, near):
    assert near_names(name, known) == near


def test_at_most_so_many_are_named():
    known = ["aab", "aac", "aad", "aae"]
    assert near_names("aaa", known, most=2) == near_names("aaa", known)[:2]
    assert did_you_mean("aab", ["aaa", "aac"], "no", most=1) in {"did you mean 'aaa'?", "did you mean 'aac'?"}


def test_a_message_is_had_of_every_error():
    class MuteError(Exception):
        def __str__(self):
            raise KeyError("gone")

    assert message_of(ValueError("why")) == "why"
    assert message_of(MuteError()) == "MuteError without a message, as its __str__ raised KeyError"


def test_one_module_guesses(library_files, root):
    guessing = [path.name for path in library_files if "difflib" in path.read_text(encoding="utf-8")]
    assert guessing == ["wording.py"]


# What may write past a frozen dataclass, and why.
WRITES_PAST = {
    "bank_python/dagger/outcome.py",  # copies other people's frozen values field by field
    "bank_python/trading_engine/events.py",  # reads dates given as text, and whole numbers as floats
    "bank_python/trading_engine/lots.py",  # reads the method given as text, and the multiplier as a decimal
    "bank_python/trading_engine/order.py",  # reads words given as text; a change of state is a changed copy
    "bank_python/trading_engine/signal_report.py",  # reads the side given as text
    "bank_python/trading_engine/margin.py",  # whole numbers as floats, the default of short positions
}


def test_frozen_values_are_made_by_their_constructor(library_files, root):
    found = {
        path.relative_to(root).as_posix()
        for path in library_files
        if re.search(r"object\.__setattr__\(", path.read_text(encoding="utf-8")) and "optimizer" not in path.parts
    }
    assert found <= WRITES_PAST
