"""Ctrl-C at any moment: values are right after the next recalculation, and nothing stays locked."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_PROGRAM = """
import contextlib, math, random, signal, sys, threading
import numpy as np
from bank_python.dagger import ArrayNode, DependencyGraph, Leaf, Source, Term

class Times(ArrayNode):
    source = Source("input")
    factor = Term("factor")
    def __init__(self, name, source, factor):
        super().__init__(name, {"source": source}, {"factor": factor})
    @staticmethod
    def price(source, factor):
        return source * factor

def build():
    graph = DependencyGraph()
    leaves = [graph.register(Leaf(f"L{i}", 1.0 + i)) for i in range(6)]
    functions = [
        graph.derive(f"F{i}", lambda x, y: x + 2 * y, [leaves[i % 6], leaves[(i + 1) % 6]]) for i in range(12)
    ]
    rows = [graph.register(Times(f"T{i}", functions[i], 1.0 + i)) for i in range(12)]
    graph.sum("S", [*rows, leaves[0]])
    graph.sum("W", rows, [0.5] * 12)
    graph.derive("TOP", lambda s, w: s - w, ["S", "W"])
    graph.recalculate()
    graph.subscribe("TOP", lambda node: None)
    return graph, graph.block([f"L{i}" for i in range(6)])

def expected(graph):
    given = [graph[f"L{i}"].value for i in range(6)]
    rows = [(given[i % 6] + 2 * given[(i + 1) % 6]) * graph[f"T{i}"].factor for i in range(12)]
    total, half = math.fsum([*rows, given[0]]), math.fsum([0.5 * row for row in rows])
    return {"S": total, "W": half, "TOP": total - half, **{f"T{i}": row for i, row in enumerate(rows)}}

def act(kind, graph, block, rng):
    i, value = rng.randrange(6), rng.random() * 100
    if kind == 0:
        graph[f"L{i}"].set(value)
        graph.recalculate()
    elif kind == 1:
        with graph.batch():
            graph["L0"].set(value)
            graph["L1"].set(-value)
    elif kind == 2:
        graph[f"L{i}"].set(value)
        graph[f"T{rng.randrange(12)}"].value
    elif kind == 3:
        block.set(np.arange(6) + value)
        graph["TOP"].value
    elif kind == 4:
        with graph.scenario({f"L{i}": value}):
            graph["TOP"].value
    elif kind == 5:
        graph["T3"].amend(factor=1.0 + int(value))
        graph.recalculate()
    elif kind == 6:
        node = graph.derive(f"X{rng.random()}", lambda x: x, ["TOP"])
        node.value
        graph.unregister(node)
    elif kind == 7:
        with graph.snapshot() as held:
            held["S"]
        graph.greeks("TOP", f"L{i}")
    else:
        with contextlib.suppress(ZeroDivisionError), graph.batch():
            graph["L0"].set(value)
            graph["S"].value
            graph["L3"].set(value)
            1 / 0

def found_wrong(kind, graph, before):
    graph.recalculate()
    bad = {name: (graph[name].value, right) for name, right in expected(graph).items() if graph[name].value != right}
    now = {name: graph[name].value for name in before}
    if kind == 1 and now != before and now["L0"] != -now["L1"]:
        bad["half a batch"] = now
    if kind == 8 and now != before:
        bad["not undone"] = now
    engine = graph._engine
    if engine.depth or engine.owner or engine.batches:
        bad["held"] = engine.depth, engine.owner, engine.batches
    return bad

def main(rounds):
    rng = random.Random(7)
    graph, block = build()
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    hits = wrong = locked = 0
    for n in range(rounds):
        kind = rng.randrange(9)
        before = {f"L{i}": graph[f"L{i}"].value for i in range(6)}
        is_over = False
        try:
            signal.setitimer(signal.ITIMER_REAL, rng.random() * 400e-6 + 1e-6)
            act(kind, graph, block, rng)
            is_over = True
            while True:
                pass
        except KeyboardInterrupt:
            hits += not is_over
        other = threading.Thread(target=graph.recalculate, daemon=True)
        other.start()
        other.join(5)
        if other.is_alive():
            locked += 1
            print("locked", n, kind, graph._engine.batches)
            break
        bad = found_wrong(kind, graph, before)
        if bad:
            wrong += 1
            print("wrong", n, kind, bad)
            graph, block = build()
    print(f"{hits} hits, {wrong} wrong, {locked} locked")

main(int(sys.argv[1]))
"""


@pytest.mark.parametrize("rounds", [300, pytest.param(5000, marks=pytest.mark.slow)])
def test_ctrl_c_at_any_moment_leaves_nothing_wrong_and_nothing_locked(rounds):
    # In a process of its own: only a main thread is interrupted, and pytest's own must not be.
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(rounds)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    counts = re.search(r"^(\d+) hits, (\d+) wrong, (\d+) locked$", done.stdout, re.MULTILINE)
    assert counts, done.stdout + done.stderr
    hits, wrong, locked = map(int, counts.groups())
    assert (wrong, locked) == (0, 0), done.stdout + done.stderr
    assert hits > rounds / 6, "too few interrupts hit while something was done"
