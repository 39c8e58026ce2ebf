"""Text for a terminal: what it would obey becomes visible, and everything else stays."""

import logging
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bank_python.cli import run
from bank_python.errors import DeskError
from bank_python.terminal import CleanFormatter, clean, clean_lines

VISIBLE = st.characters(exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("AAPL", "AAPL"),
        ("[bold]x[/]", "[bold]x[/]"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\rb\bc\0d\te\nf", r"a\rb\x08c\x00d\te\nf"),
        ("\x7f\x9b\x85", r"\x7f\x9b\x85"),
        ("\u202eabc\u2028\u200b\ufeff", r"\u202eabc\u2028\u200b\ufeff"),
        ("\ud83d", r"\ud83d"),
        ("\U000e0041\ue000", r"\U000e0041\ue000"),
        ("漢字 é\u0301 ñ 1\u00a0000 🚀", "漢字 é\u0301 ñ 1\u00a0000 🚀"),
        ("", ""),
    ],
)
def test_what_is_written(said, written):
    assert clean(said) == written


@given(st.text(st.characters(), max_size=60))
def test_clean_text_is_visible_encodable_and_stays(said):
    written = clean(said)
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in written)
    written.encode("utf-8")
    assert clean(written) == written
    assert len(written) >= len(said)


@given(st.text(VISIBLE, max_size=60))
def test_what_has_a_shape_keeps_it_and_its_width(said):
    assert clean(said) == said
    assert cell_len(clean(said)) == cell_len(said)


def test_several_lines_stay_several():
    assert clean_lines("a\x1b\nb\r\n") == "a\\x1b\nb\\r\n"


def test_log_lines():
    formatter = CleanFormatter("%(levelname)s %(message)s")
    record = logging.makeLogRecord({"levelname": "WARNING", "msg": "of %s", "args": ("\x1b[2J\nERROR forged",)})
    assert formatter.format(record) == r"WARNING of \x1b[2J\nERROR forged"
    error = ValueError("\x1b[31m")
    record.exc_info = (ValueError, error, None)
    *_, last = formatter.format(record).split("\n")
    assert last == r"ValueError: \x1b[31m"


def program(monkeypatch, *arguments):
    def command(word: str = "", *, quiet: bool = False) -> None:
        logging.getLogger("bank_python.anything").warning("seen: %s", "\x1b[31m")
        if not quiet:
            raise DeskError(f"no desk \x1b[31m\r[/]{word}", value=word)

    monkeypatch.setattr(sys, "argv", ["program", *arguments])
    with pytest.raises(SystemExit) as left:
        run(command)
    return left.value.code


def test_an_error_is_one_clean_line(monkeypatch, capsys):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    before = logging.lastResort.formatter
    assert program(monkeypatch, "--word", "\u202e\x07") == 1
    assert capsys.readouterr().err == "seen: \\x1b[31m\nerror: no desk \\x1b[31m\\r[/]\\u202e\\x07\n"
    assert logging.lastResort.formatter is before


@pytest.mark.parametrize("argument", ["\x1b[31m", "[/]", "--\x1b]0;title\x07"])
def test_what_is_said_of_an_argument_is_clean(monkeypatch, capsys, argument):
    assert program(monkeypatch, argument) == 2
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "\x07" not in said
    assert clean(argument) in said
