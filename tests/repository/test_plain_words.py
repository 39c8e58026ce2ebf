"""Docstrings and pages say things as the field says them: described parameters, and no word of a private dialect."""

from __future__ import annotations

import io
import re
import tokenize

import pytest

from tests.repository.numpydoc_sections import entries, public_docstrings

# Words that refer, join or qualify, and name nothing.
_NAME_NOTHING = """
a an the this that these those it its itself they them their he his she her one ones each every all any
some none no of in on by to at for from with without under over above below before after until since into
out as than per up and or nor but if so not only too also then there here now again still yet else
otherwise both either neither is are was were be been being has have had do does did can may must will
would should could which whose who whom what where when why how whether while most least more less many
much few several other others another same such own as-is given taken handed asked made held kept said
used needed wanted say see e.g i.e etc default optional
"""
NAME_NOTHING = frozenset(_NAME_NOTHING.split())

# First words with which a description is no phrase of its own.
_NO_BEGINNING = """
of by to at as than from for with without under into in on over after before until since which whose who
whom what where when why given taken handed asked made held kept said used and or it its they them those
that these
"""
NO_BEGINNING = frozenset(_NO_BEGINNING.split())

FEWEST_NOUNS = 2


def words(text):
    plain = re.sub(r":\w+:`~?([^`]*)`|``([^`]*)``|`([^`]*)`", r" \1\2\3 ", text)
    return re.findall(r"[^\W\d_][\w.'-]*", plain.lower())


def is_phrase(description):
    found = words(description)
    if not found or found[0] in NO_BEGINNING:
        return False
    return len([word for word in found if word.rstrip(".") not in NAME_NOTHING]) >= FEWEST_NOUNS


def test_every_parameter_is_described_by_a_phrase(library_files, root):
    fragments = [
        f"{entry.place}: {entry.names}: {entry.description!r}"
        for path in library_files
        for place, docstring in public_docstrings(path, root)
        for entry in entries(place, docstring)
        if not is_phrase(entry.description)
    ]
    assert fragments == []


@pytest.mark.parametrize(
    ("description", "phrase"),
    [
        ("Which.", False),
        ("Of it.", False),
        ("Of the path to the horizon, for models that have one.", False),
        ("In which P&L is added up.", False),
        ("As asked for.", False),
        ("", False),
        ("Years.", False),
        ("Time to expiry in years, at least 0.", True),
        ("Whether time passes too.", True),
        ("Weights, in the order of ``names``.", True),
        (":class:`Curve` to discount with.", True),
    ],
)
def test_what_counts_as_a_phrase(description, phrase):
    assert is_phrase(description) is phrase


def test_sections_are_read():
    docstring = """Do it.

    Parameters
    ----------
    x, y : float
        First line,
        second line.
    **more : object
        Anything else.

    Returns
    -------
    int
        Not a parameter.
    """
    assert [(entry.names, entry.description) for entry in entries("here", docstring)] == [
        ("x, y", "First line, second line."),
        ("**more", "Anything else."),
    ]


# What was found here once, and what the field says instead (docs/glossary.md).
SAY_INSTEAD = {
    r"rest(s|ed|ing)? (up)?on": "depends on",
    r"hang(s|ing)? off": "depends on",
    r"lanes?": "rows, columns",
    r"swept": "bumped",
    r"hinges?": "penalty, soft constraint",
    r"gatherers?": "builder",
    r"(is|are|be|been|being|was|were) told(?! apart)": "is notified, is given, is set",
    r"hears? of": "is notified",
    r"looks? at the market": "polls the feeds",
    r"hir(e|es|ed|ing)": "create the trader",
    r"at the door": "rejected with an error",
    r"to the (last )?bit": "bitwise identical",
    r"(joint|factor) laws?": "factor model",
    r"laws? of (the )?(factors?|markets?|returns)": "factor model, distribution",
    r"first causes?": "root cause",
    r"house plan": "architecture",
    r"who trades": "traders",
    r"risk of a day": "one-day VaR",
    r"what crises would make": "stress-test P&L",
}
FOUND_ONCE = re.compile(rf"\b({'|'.join(SAY_INSTEAD)})\b", re.IGNORECASE)


def prose(path):
    """Yield the line number and the text of each comment and string of a Python file, and of each line of a page."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or "STRING" in tokenize.tok_name[token.type]:
            yield from enumerate(token.string.splitlines(), token.start[0])


def test_no_word_of_a_private_dialect(library_files, root):
    pages = [*sorted((root / "docs").glob("*.md")), root / "README.md", root / "CONTRIBUTING.md"]
    found = [
        f"{path.relative_to(root)}:{line} {text.strip()[:100]}"
        for path in [*library_files, *pages]
        for line, text in prose(path)
        if FOUND_ONCE.search(text)
    ]
    assert found == []


def test_the_list_finds_what_it_lists():
    for text in ("its price RESTS ON", "a lane of it", "nobody is told", "equal to the last bit", "a joint law"):
        assert FOUND_ONCE.search(text)
    for text in ("rest of the day", "planes", "Whitelaw", "a factor model", "bit for bit"):
        assert not FOUND_ONCE.search(text)
