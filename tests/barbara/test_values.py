"""Round trips of values of every type, and errors for values without a record form."""

from __future__ import annotations

import dataclasses
import enum
import io
import json
import math
import struct
from collections import OrderedDict, namedtuple
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bank_python.barbara import BarbaraDB, records, register_storable, storable
from bank_python.barbara.encode import MAX_DEPTH, encode
from bank_python.barbara.envelope import Body, pack
from bank_python.errors import StoreArgumentError, StoreError, UnstorableError


@storable("tests/Side")
class Side(enum.Enum):
    BUY = 1
    SELL = -1


@storable("tests/Flags")
class Flags(enum.Flag):
    A = 1
    B = 2


@storable("tests/Fill")
@dataclasses.dataclass(frozen=True)
class Fill:
    price: float
    side: Side
    tags: tuple = ()
    notional: float = dataclasses.field(init=False)

    def __post_init__(self):
        if self.price < 0:
            raise ValueError(f"price {self.price}")
        object.__setattr__(self, "notional", self.price * 100)


floats = st.floats(width=64) | st.sampled_from([-0.0, 5e-324, math.nan, -math.nan, math.inf])
zones = (
    st.none()
    | st.just(UTC)
    | st.sampled_from([ZoneInfo("Europe/London"), ZoneInfo("UTC")])
    | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
    | st.just(timezone(timedelta(hours=1), "BST"))
)
characters = st.text(st.characters(codec=None, exclude_categories=()), max_size=8)  # lone surrogates included
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**30, max_value=10**60),
    floats,
    characters,
    st.binary(max_size=20),
    st.builds(complex, floats, floats),
    st.dates(),
    st.builds(lambda d, z, f: d.replace(tzinfo=z, fold=f), st.datetimes(), zones, st.integers(0, 1)),
    st.builds(lambda t, f: t.replace(fold=f), st.times(), st.integers(0, 1)),
    st.timedeltas(),
    st.decimals(),
    st.uuids(),
    st.sampled_from(Side),
    st.builds(Fill, st.floats(0, 1e9), st.sampled_from(Side)),
)


def _hashes(value):
    try:
        hash(value)
    except TypeError:  # a signalling NaN of Decimal
        return False
    return True


hashable = st.recursive(
    scalars.filter(_hashes), lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=6
)
dtypes = st.one_of(
    hnp.boolean_dtypes(), hnp.integer_dtypes(endianness="?"), hnp.floating_dtypes(endianness="?"),
    hnp.complex_number_dtypes(endianness="?"), hnp.datetime64_dtypes(endianness="?"),
    hnp.timedelta64_dtypes(endianness="?"), hnp.unicode_string_dtypes(endianness="?"), hnp.byte_string_dtypes(),
    st.just(np.dtype([("price", "<f8"), ("size", ">i4")])),
)  # fmt: skip
arrays = hnp.arrays(dtypes, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
values = st.recursive(
    scalars | arrays,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(hashable, inner, max_size=3),
        st.dictionaries(st.sampled_from(["$", "v", "at", "price"]), inner, max_size=3),
        st.sets(hashable, max_size=3),
        st.frozensets(hashable, max_size=3),
    ),
    max_leaves=12,
)


def same(left, right):  # noqa: PLR0911  (one line a type)
    """Exactly the same: type, bits, order, zone."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float) and not isinstance(left, np.generic):
        return struct.pack(">d", left) == struct.pack(">d", right)
    if isinstance(left, complex) and not isinstance(left, np.generic):
        return same(left.real, right.real) and same(left.imag, right.imag)
    if isinstance(left, (np.ndarray, np.generic)):
        return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return same(list(left.items()), list(right.items()))
    if isinstance(left, (set, frozenset)):
        return len(left) == len(right) and all(any(same(a, b) for b in right) for a in left)
    if isinstance(left, (datetime, time)):
        zones = repr(left.tzinfo), repr(right.tzinfo)
        return (
            left.replace(tzinfo=None) == right.replace(tzinfo=None) and left.fold == right.fold and zones[0] == zones[1]
        )
    if isinstance(left, Decimal):
        return left.as_tuple() == right.as_tuple()
    return left == right


@pytest.fixture(scope="module")
def kept():
    with BarbaraDB.open("desk", ":memory:") as db:
        yield db


@settings(max_examples=400, deadline=None)
@given(values)
def test_every_value_reads_back_exactly(kept, value):
    kept["/v"] = value
    back = kept["/v"]
    assert same(back, value), (back, value)
    assert encode("/v", back).record == encode("/v", value).record  # and as the same bytes


@given(arrays)
def test_arrays_keep_dtype_shape_and_order(kept, array):
    for given_array in (array, np.asfortranarray(array)):
        kept["/v"] = given_array
        back = kept["/v"]
        assert same(back, given_array)
        assert back.flags.f_contiguous == given_array.flags.f_contiguous
        assert back.flags.c_contiguous == given_array.flags.c_contiguous
        assert back.flags.writeable


@given(arrays.filter(lambda array: array.size > 0))
def test_numpy_scalars_stay_numpy_scalars(kept, array):
    scalar = array.reshape(-1)[0]
    kept["/v"] = scalar
    assert same(kept["/v"], scalar)


@pytest.mark.parametrize("value", [np.str_("a\0"), np.bytes_(b"a\0"), np.float64(math.nan), np.longdouble(1) / 3])
def test_awkward_numpy_scalars(db, value):
    db["/v"] = value
    assert same(db["/v"], value)


def test_strided_arrays_are_stored_by_value(db):
    array = np.arange(12.0).reshape(3, 4)[::2, ::-1]
    db["/v"] = array
    assert same(db["/v"], np.ascontiguousarray(array))


def test_ints_longer_than_the_interpreter_prints(db):
    db["/v"] = 7**9000
    db["/w"] = -(2**63) - 1
    assert db["/v"] == 7**9000
    assert db["/w"] == -(2**63) - 1


def test_two_surrogates_stay_two(db):
    db["/v"] = {"\ud800\udc00": "\ud800\udc00"}
    assert len(db["/v"]["\ud800\udc00"]) == 2


def test_sets_give_equal_records_in_any_order():
    names = [b"%d" % n for n in range(50)]
    left, right = set(names), set()
    for name in reversed(names):
        right.add(name)
    assert encode("/v", left) == encode("/v", right)


def test_compression_only_when_it_helps(db):
    incompressible = np.random.default_rng(1).bytes(5000)
    assert len(encode("/v", "a" * 100_000).record) < 1_000
    assert 5_000 < len(encode("/v", incompressible).record) < 5_100
    db["/v"] = incompressible
    assert db["/v"] == incompressible


class Plain:
    pass


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Loose:
    x: int


Pair = namedtuple("Pair", "a b")  # noqa: PYI024  (a tuple that cannot be stored)


class Unnamed(timezone.__base__):
    def utcoffset(self, _):
        return timedelta(0)


@pytest.mark.parametrize(
    ("value", "where", "advice"),
    [
        (lambda: 0, "value", "named function"),
        ({"rates": [1, (2, Plain())]}, r"value\['rates'\]\[1\]\[1\]", "register its class"),
        ({Pair(1, 2): 3}, r"value.key\(Pair", "register"),
        (Fill(1.0, Side.BUY, tags=(Plain(),)), r"value\.tags\[0\]", "register"),
        (Colour.RED, "value", "@storable"),
        (Loose(1), "value", "@storable"),
        (Pair(1, 2), "value", "register"),
        (OrderedDict(a=1), "value", "convert"),
        (bytearray(b"a"), "value", "convert"),
        (np.array([None]), "value", "astype"),
        (np.array([1, "a"], dtype=object), "value", "astype"),
        (np.ma.masked_array([1.0]), "value", "numpy.asarray"),
        (datetime(2026, 1, 1, tzinfo=Unnamed()), "value", r"astimezone\(UTC\)"),
        (Flags.A | Flags.B, "value", r"\.value"),
        (int, "value", "register it under a name"),
        (len, "value", "convert"),
    ],
)  # fmt: skip
def test_what_cannot_be_stored_says_what_where_and_the_way_out(db, value, where, advice):
    db["/v"] = "before"
    with pytest.raises(UnstorableError, match=f"(?s)at {where}.* of '/v': .*{advice}") as caught:
        db["/v"] = value
    assert isinstance(caught.value, TypeError)
    assert caught.value.key == "/v"
    assert db["/v"] == "before"
    assert len(db.history("/v")) == 1


def test_a_value_that_contains_itself_is_refused(db):
    loop = []
    loop.append(loop)
    with pytest.raises(UnstorableError, match="contains itself"):
        db["/v"] = loop


def test_nesting_to_the_limit_reads_back(db):
    value = 1
    for _ in range(MAX_DEPTH // 2):
        value = ({"k": value},)
    db["/v"] = value
    assert db["/v"] == value


# --- registered types --------------------------------------------------------------------------


def test_registered_dataclasses_and_enums_run_their_own_checks(db):
    fill = Fill(2.0, Side.SELL, tags=("a", Side.BUY))
    db["/fill"] = fill
    assert db["/fill"] == fill
    assert db["/fill"].notional == 200
    db["/flag"] = Flags.A
    assert db["/flag"] is Flags.A


@pytest.fixture
def registry(monkeypatch):
    """The registry of types, restored afterwards."""
    monkeypatch.setattr(records, "_by_tag", dict(records._by_tag))
    monkeypatch.setattr(records, "_by_type", dict(records._by_type))
    return records


def test_an_unknown_tag_is_never_imported(db, registry):
    db["/fill"] = Fill(2.0, Side.SELL)
    db["/other"] = 1
    del registry._by_tag["tests/Fill"]
    with pytest.raises(StoreError, match=r"'tests/Fill', which is not registered.*import the module") as caught:
        db["/fill"]
    assert caught.value.key == "/fill"
    assert db["/other"] == 1


def _terms(version, upgrade=None):
    @storable("tests/Terms", version=version, upgrade=upgrade)
    @dataclasses.dataclass(frozen=True)
    class Terms:
        rate: float

    return Terms


def test_records_of_older_versions_are_upgraded(db, registry):
    db["/terms"] = _terms(1)(5.0)
    today = _terms(2, lambda fields, version: {"rate": fields["rate"] / 100 / version})
    assert db["/terms"] == today(0.05)
    _terms(2)
    with pytest.raises(StoreError, match="upgrade="):
        db["/terms"]


def test_records_of_newer_versions_are_refused(db, registry):
    db["/terms"] = _terms(3)(5.0)
    _terms(2)
    with pytest.raises(StoreError, match=r"version 3 of 'tests/Terms'.*has 2"):
        db["/terms"]


def test_a_constructor_that_refuses_its_record_names_the_key(db, registry):
    db["/terms"] = _terms(1)(5.0)

    @dataclasses.dataclass(frozen=True)
    class Terms:
        other: float

    registry._by_tag["tests/Terms"] = registry.RecordType(Terms, "tests/Terms", 1, registry.Form.DATACLASS, None)
    with pytest.raises(StoreError, match="'/terms' cannot be read back"):
        db["/terms"]


def test_registering_nonsense_is_refused(registry):
    with pytest.raises(UnstorableError, match="frozen dataclass"):
        storable("tests/Loose")(Loose)
    with pytest.raises(UnstorableError, match="frozen dataclass"):
        storable("tests/Plain")(Plain)
    with pytest.raises(UnstorableError, match="to_record"):
        register_storable(Plain)
    with pytest.raises(StoreArgumentError, match="already belongs"):
        storable("tests/Side")(Colour)
    with pytest.raises(StoreArgumentError, match="version"):
        storable("tests/Colour", version=0)(Colour)
    with pytest.raises(StoreArgumentError, match="tag"):
        storable("")(Colour)
    assert registry.by_type(Colour) is None


# --- pickles -----------------------------------------------------------------------------------


@dataclasses.dataclass
class Pickled:
    x: int


def test_pickles_are_written_and_read_only_when_allowed(path):
    with BarbaraDB.open("desk", path, allow_pickle=True) as db:
        db["/v"] = {"inside": [UUID(int=1), complex(1, 2), Decimal("1.10"), date(2026, 1, 5)], "p": Pickled}
        assert db["/v"]["p"] is Pickled
        with pytest.raises(UnstorableError, match="cannot be pickled either"):
            db["/w"] = lambda: 0
    with BarbaraDB.open("desk", path) as db:
        with pytest.raises(StoreError, match="allow_pickle=True") as caught:
            db["/v"]
        assert caught.value.key == "/v"


def test_a_refused_pickle_is_not_run(path, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "exploded"), "w"))

    with BarbaraDB.open("desk", path, allow_pickle=True) as db:
        db["/v"] = Bomb()
    with BarbaraDB.open("desk", path) as db, pytest.raises(StoreError):
        db["/v"]
    assert not (tmp_path / "exploded").exists()


# --- damage ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x01",
        b"\x01\x00\x00\x00\x00\x00rubbish",
        b"\x01\x01\x00\x00\x00\x00rubbish",
        b"\x63" + b"\0" * 20,
        "text",
        None,
    ],
)
def test_a_damaged_record_names_its_key_and_spares_the_others(db, damage):
    db["/bad"] = "x" * 1000
    db["/good"] = [1, 2]
    db._session().rows("UPDATE version SET record = ? WHERE key = '/bad'", (damage,))
    with pytest.raises(StoreError, match="'/bad'") as caught:
        db["/bad"]
    assert caught.value.key == "/bad"
    with pytest.raises(StoreError, match="'/bad'"):
        db.get("/bad")
    assert db["/good"] == [1, 2]
    assert db.keys() == ["/bad", "/good"]
    db["/bad"] = "new"
    assert db["/bad"] == "new"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_flipped_bit_never_gives_a_wrong_value(kept, data):
    value = {"a": [1.5, "text"], "b": np.arange(data.draw(st.integers(0, 40)))}
    kept["/v"] = value
    record = bytearray(kept._session().rows("SELECT record FROM version WHERE key='/v' ORDER BY sequence DESC")[0][0])
    place = data.draw(st.integers(0, len(record) - 1))
    record[place] ^= 1 << data.draw(st.integers(0, 7))
    session = kept._session()
    sequence = kept.version("/v").sequence
    session.rows("UPDATE version SET record = ? WHERE sequence = ?", (bytes(record), sequence))
    with suppress(StoreError):
        read = kept["/v"]  # the unused bits of the last byte of the compressed stream are ignored
        assert read["a"] == value["a"]
        assert np.array_equal(read["b"], value["b"])


def forge(db, value, buffers=b""):
    db["/v"] = 0
    forged = pack(Body(None, (), value, buffers))
    db._session().rows("UPDATE version SET record = ? WHERE sequence = ?", (forged, db.version("/v").sequence))


def huge_array():
    buffer = io.BytesIO()
    np.lib.format.write_array_header_2_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": (10**15,)})
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("value", "buffers"),
    [
        ('{"$":"datetime","v":["2026-01-05T00:00:00",["zone","Europe"],0]}', b""),
        ('{"$":"datetime","v":["2026-01-05T00:00:00",["zone","../../etc/passwd"],0]}', b""),
        (json.dumps({"$": "array", "at": [0, len(huge_array())]}), huge_array()),
        ("[" * 100_000, b""),
        ("not json", b""),
        ('{"$":"newer than this release"}', b""),
        ('{"$":"bytes","at":[0,9]}', b"12345678"),
    ],
    ids=["zone directory", "zone path", "huge array", "deep", "not json", "unknown tag", "short buffer"],
)
def test_malicious_records_are_store_errors(kept, value, buffers):
    forge(kept, value, buffers)
    with pytest.raises(StoreError, match="'/v'"):
        kept["/v"]


PARTS = ["v", "at", "tag", "version", "fields", "name", "key"]
TAGS = ["int", "float", "datetime", "tuple", "dict", "set", "array", "record", "enum", "ref", "zone", "pickle"]


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=4) | st.sampled_from(["bytes", "record", "tests/Fill"]),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["$", *PARTS]), inner, max_size=5)
        | st.builds(
            lambda tag, rest: {**rest, "$": tag},
            st.sampled_from(TAGS),
            st.dictionaries(st.sampled_from(PARTS), inner, max_size=4),
        ),
        max_leaves=10,
    )
)  # fmt: skip
def test_forged_records_raise_nothing_but_store_errors(kept, tree):
    forge(kept, json.dumps(tree), b"12345678")
    try:
        kept["/v"]
    except StoreError as error:
        assert "'/v'" in str(error)  # noqa: PT017  (a forged record may also be a valid one)
