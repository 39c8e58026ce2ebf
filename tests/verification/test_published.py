"""Every entry of the table of published values, each computed and compared; and what makes an entry a fair one."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from bank_python.verification import Provenance, published_values, topics

VALUES = published_values()


@pytest.mark.parametrize("value", VALUES, ids=[value.key for value in VALUES])
def test_the_library_computes_what_the_source_prints(value):
    computed = float(value.compute())
    allowed = value.tolerance + 1e-15 * abs(value.number)  # a few units of the last place of float64
    said = f"{value.what}; {value.source.citation}, {value.place}: printed {value.printed}, computed {computed!r}"
    assert abs(computed - value.number) <= allowed, said


def test_keys_are_unique_and_topics_are_those_listed():
    assert [key for key, count in Counter(value.key for value in VALUES).items() if count > 1] == []
    assert tuple(dict.fromkeys(value.topic for value in VALUES)) == topics()
    assert len(VALUES) >= 120


def test_a_tolerance_of_its_own_is_the_exception():
    """It has its reason beside it, and is of the size of what is printed, not of the figure."""
    own = [value for value in VALUES if value.within is not None]
    assert all(value.note for value in own)
    assert len(own) < len(VALUES) / 5
    wide = [value.key for value in own if value.number and value.within > 0.02 * abs(value.number)]
    assert wide == []


def test_every_entry_says_what_and_where_from():
    assert [value.key for value in VALUES if not value.what.strip() or len(value.source.citation) < 10] == []
    # Without a year it is a library, a page or a formula, and printed in no book: never quoted as one.
    undated = {value.source.author for value in VALUES if value.source.year is None}
    assert undated <= {"QuantLib", "StockCharts", "NIST", "Annuity formula", "Definition"}


def test_what_is_called_published_was_read():
    """The sources of which a page was read when the entry was made; add one only after reading it."""
    read = {value.source.author for value in VALUES if value.kind is Provenance.PUBLISHED}
    assert read == {"G. He and R. Litterman", "ISDA"}


def test_every_topic_has_more_than_closed_forms():
    for topic in topics():
        kinds = Counter(value.kind for value in VALUES if value.topic == topic)
        assert kinds[Provenance.PUBLISHED] + kinds[Provenance.QUOTED] > 0, topic


@pytest.mark.parametrize("value", VALUES[:: len(VALUES) // 25], ids=lambda value: value.key)
def test_the_last_printed_digit_is_what_the_tolerance_looks_at(value):
    """A figure that is off by one in the last digit is outside, unless the entry says why not."""
    off = value.number + math.copysign(10.0**value.exponent, value.number)
    assert (abs(off - value.number) > value.tolerance) == (value.within is None or value.within < 10.0**value.exponent)
