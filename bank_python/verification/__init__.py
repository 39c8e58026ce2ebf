"""Verification of the library by published values: one table, which the tests and the command ``verify`` read.

Each entry has a source, the figure that it prints, and a function that computes the same figure. :func:`verify`
computes them all and says which agree. What is listed proves the formulas at the points listed, and no more: see
``docs/verification.md``.

Examples
--------
>>> found = verify("bonds")
>>> found.is_ok
True
>>> sorted({row.value.kind.value for row in found.rows})
['computed', 'quoted']
"""

from bank_python.completion import public_names
from bank_python.verification.catalogue import published_values, topics
from bank_python.verification.published_value import Cited, Provenance, PublishedValue, Source
from bank_python.verification.verify import Agreement, Verification, VerifiedValue, verify, verify_values

__all__ = [
    "Agreement",
    "Cited",
    "Provenance",
    "PublishedValue",
    "Source",
    "Verification",
    "VerifiedValue",
    "published_values",
    "topics",
    "verify",
    "verify_values",
]

__dir__ = public_names(__name__)
