"""Objects that depend on each other: stored once, shared when read, bound to a graph by name."""

from __future__ import annotations

import pytest

from bank_python.barbara import BarbaraDB
from bank_python.errors import MissingKeyError, StoreError, UnstorableError


class Graph:
    def __init__(self, *nodes):
        self.nodes = {node.name: node for node in nodes}

    def find(self, name):
        return self.nodes.get(name)


def test_underliers_are_stored_under_their_own_keys(db, quote, contract):
    bond = contract("BOND", rate=quote("SOFR", 0.05), face=100)
    db["/Instruments/BOND"] = bond
    assert db.keys() == ["/Instruments/BOND", "/Market/SOFR"]
    back = db["/Instruments/BOND"]
    assert back.terms["face"] == 100
    assert back.terms["rate"].price == 0.05
    assert db["/Market/SOFR"].price == 0.05


def test_an_object_may_be_stored_under_another_key(db, quote, contract):
    sofr = quote("SOFR", 0.05)
    db["/Backup/today"] = contract("BOND", rate=sofr)
    assert db.keys() == ["/Backup/today", "/Market/SOFR"]
    assert db["/Backup/today"].name == "BOND"


def test_diamonds_stay_diamonds(db, quote, contract):
    sofr = quote("SOFR", 0.05)
    left, right = contract("L", rate=sofr), contract("R", rates=[sofr, (sofr,)], by={"a": {"b": sofr}})
    db["/Books/B"] = contract("B", members=(left, right), again=left)
    back = db["/Books/B"]
    one, two = back.terms["members"]
    assert back.terms["again"] is one
    shared = one.terms["rate"]
    assert two.terms["rates"][0] is shared
    assert two.terms["rates"][1][0] is shared
    assert two.terms["by"]["a"]["b"] is shared


def test_plain_containers_may_hold_objects(db, quote):
    sofr = quote("SOFR", 0.05)
    db["/watch"] = {"rates": [sofr, sofr], "n": 2}
    back = db["/watch"]
    assert back["rates"][0] is back["rates"][1]
    assert back["rates"][0].price == 0.05


def test_an_unchanged_underlier_gets_no_new_version(db, quote, contract):
    sofr = quote("SOFR", 0.05)
    db["/Instruments/A"] = contract("A", rate=sofr)
    db["/Instruments/B"] = contract("B", rate=sofr)
    db["/Instruments/A"] = contract("A", rate=sofr)
    assert len(db.history("/Market/SOFR")) == 1
    assert len(db.history("/Instruments/A")) == 2
    sofr.price = 0.07
    db["/Instruments/A"] = contract("A", rate=sofr)
    assert len(db.history("/Market/SOFR")) == 2
    assert db["/Instruments/B"].terms["rate"].price == 0.07


def test_an_equal_underlier_in_a_lower_ring_is_enough(path, quote, contract):
    with BarbaraDB.open("default", path) as default:
        default["/Market/SOFR"] = quote("SOFR", 0.05)
    with BarbaraDB.open("desk;default", path) as desk:
        desk["/Instruments/A"] = contract("A", rate=quote("SOFR", 0.05))
        assert desk.version("/Market/SOFR").ring == "default"
        desk["/Instruments/A"] = contract("A", rate=quote("SOFR", 0.06))
        assert desk.version("/Market/SOFR").ring == "desk"


def test_chains_longer_than_the_interpreters_stack(db, quote, contract):
    node = quote("SOFR", 0.05)
    for level in range(5000):
        node = contract(f"C{level}", below=node)
    db["/top"] = node
    assert len(db) == 5001
    back = db["/top"]
    depth = 0
    while back.name != "SOFR":
        back = back.terms["below"]
        depth += 1
    assert depth == 5000


def test_a_cycle_is_refused_with_its_path(db, contract):
    a = contract("A")
    b = contract("B", other=a)
    a.terms["other"] = b
    with pytest.raises(UnstorableError, match=r"cycle.*/Instruments/") as caught:
        db["/Instruments/A"] = a
    assert set(caught.value.path) == {"/Instruments/A", "/Instruments/B"}
    assert len(db) == 0


def test_a_cycle_made_by_later_writes_is_refused_at_reading(db, contract):
    db["/Instruments/A"] = contract("A", other=contract("B"))
    db["/Instruments/B"] = contract("B", other=contract("C"))
    db["/Instruments/C"] = contract("C")
    db._session().rows(
        "UPDATE version SET record = (SELECT record FROM version WHERE key = '/Instruments/A') "
        "WHERE key = '/Instruments/C'"
    )
    with pytest.raises(StoreError, match="refers back"):
        db["/Instruments/A"]


def test_two_objects_may_not_claim_one_key(db, quote, contract):
    with pytest.raises(UnstorableError, match=r"two different objects.*'/Market/SOFR'"):
        db["/Instruments/A"] = contract("A", one=quote("SOFR", 0.05), two=quote("SOFR", 0.06))
    assert len(db) == 0
    db["/Instruments/A"] = contract("A", one=quote("SOFR", 0.05), two=quote("SOFR", 0.05))
    assert len(db) == 2


def test_an_unstorable_underlier_stops_the_whole_write(db, quote, contract):
    with pytest.raises(UnstorableError, match="'/Market/SOFR'"):
        db["/Instruments/A"] = contract("A", rate=quote("SOFR", object()))
    assert len(db) == 0


def test_a_missing_underlier_names_both(db, quote, contract):
    db["/Instruments/A"] = contract("A", rate=quote("SOFR", 0.05))
    del db["/Market/SOFR"]
    for read in (lambda: db["/Instruments/A"], lambda: db.get("/Instruments/A")):
        with pytest.raises(StoreError, match="'/Instruments/A' refers to '/Market/SOFR'") as caught:
            read()
        assert not isinstance(caught.value, MissingKeyError)
        assert caught.value.missing == "/Market/SOFR"


# --- binding to a graph ------------------------------------------------------------------------


def test_references_bind_to_nodes_of_the_graph_by_name(db, quote, contract):
    sofr = quote("SOFR", 0.05)
    db["/Instruments/A"] = contract("A", rate=sofr, spot=quote("SPOT", 1.0))
    live = quote("SOFR", 0.09)
    back = db.load("/Instruments/A", graph=Graph(live))
    assert back.terms["rate"] is live
    assert back.terms["spot"].price == 1.0


def test_the_name_is_what_counts_not_the_key(db, quote):
    class Elsewhere(quote):
        record_tag = "tests/Elsewhere"

        @property
        def record_key(self):
            return "/Odd/place/7"

    from bank_python.barbara import register_storable

    register_storable(Elsewhere)
    db["/list"] = [Elsewhere("SOFR", 0.05)]
    live = quote("SOFR", 0.09)
    assert db.load("/list", graph=Graph(live)) == [live]


def test_the_object_itself_is_taken_from_the_graph_too(db, quote):
    db["/Market/SOFR"] = quote("SOFR", 0.05)
    live = quote("SOFR", 0.09)
    assert db.load("/Market/SOFR", graph=Graph(live)) is live
    assert db.load("/Market/SOFR", graph=Graph()).price == 0.05


def test_a_node_in_the_graph_need_not_be_stored(db, quote, contract):
    sofr = quote("SOFR", 0.05)
    db["/Instruments/A"] = contract("A", rate=sofr)
    del db["/Market/SOFR"]
    assert db.load("/Instruments/A", graph=Graph(sofr)).terms["rate"] is sofr


def test_load_many_shares_what_the_keys_share(db, quote, contract):
    sofr = quote("SOFR", 0.05)
    db.update({f"/Instruments/{n}": contract(f"{n}", rate=sofr) for n in range(50)} | {"/plain": [1]})
    quote.built = 0
    back = db.load_many([*db.keys("/Instruments/"), "/plain", "/Market/SOFR"])
    assert len(back) == 52
    assert quote.built == 1
    assert all(back[f"/Instruments/{n}"].terms["rate"] is back["/Market/SOFR"] for n in range(50))
    assert back["/plain"] == [1]
    with pytest.raises(MissingKeyError, match="/none"):
        db.load_many(["/plain", "/none"])
    assert db.load_many([]) == {}


def test_items_share_too_and_update_is_one_transaction(db, quote, contract):
    sofr = quote("SOFR", 0.05)
    db.update({f"/Instruments/{n}": contract(f"{n}", rate=sofr) for n in range(600)})
    assert db._session().rows("SELECT count(*) FROM transactions") == [(1,)]
    quote.built = 0
    assert len(db.items("/Instruments/")) == 600
    assert quote.built == 1
