"""Dagger beside csp, reaktiv, calyxos, loman, numpy, numba and loops written by hand.

Every case sets something, reads the result, and times that, tick by tick; the engines take turns, in shuffled order,
with the same numbers, the big ones each in a process of its own, and medians are printed. The engines' results are
compared, and our evaluations are counted: they have to be the least that the change allows. Ratios come last, each with
its target.

Run it with ``make bench`` or ``python benchmarks/dagger.py --only one,all``.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import platform
import random
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from _dagger_loop import Loop
from _report import Report

from bank_python.dagger import DependencyGraph, Leaf
from bank_python.numerics import keep_freed_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from multiprocessing.connection import Connection

SPOTS, OPTIONS = 180, 5000
CSP_LIVE = "csp, live: push + wait for the firm"
CSP_RUNNING = "csp, replay inside its engine, running sums"
CSP_EXACT = "csp, replay inside its engine, exact sums"
CSP_ARRAYS = "csp, live, array series: push + wait"
CSP_ARRAYS_REPLAYED = "csp, replay, array series"
ARRAYS = frozenset(
    {"OursArrays", "Numpy", "Compiled", "CspArrays"}
)  # the engines that take a page of spots as an array
PACKAGES = ("numpy", "bank-python", "csp", "reaktiv", "calyxos", "loman", "scipy", "numba")

_SIZE = """
import resource, sys, time
sys.path.insert(0, {here!r})
{imports}
def used():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
import gc
gc.collect(); gc.freeze(); gc.disable()
function = lambda x: x + 1.0
before, started = used(), time.perf_counter()
{build}
seconds, after = time.perf_counter() - started, used()
{run}
print(seconds, (after - before) / 1e6, (used() - before) / 1e6)
"""
_OURS = {
    "imports": "import bank_python, numpy\nfrom bank_python.dagger import DependencyGraph, Leaf",
    "build": """
graph = DependencyGraph()
leaves = [graph.register(Leaf(f"L{i}", 1.0)) for i in range(1000)]
for i in range(99_000):
    graph.derive(f"N{i}", function, [leaves[i % 1000]])
""",
    "run": "graph.recalculate(); leaves[0].set(2.0); graph.recalculate()",
}
_FLOOR = {
    "imports": "from _dagger_loop import Loop",
    "build": """
loop = Loop()
leaves = [loop.leaf(f"L{i}", 1.0) for i in range(1000)]
for i in range(99_000):
    loop.node(f"N{i}", function, [leaves[i % 1000]])
""",
    "run": "loop.set(0, 2.0); loop.recalculate()",
}


def timed(calls: dict[str, Callable[[int], object]], rounds: int, ticks: int) -> dict[str, float]:
    """Time calls in turn, `ticks` of each a round; return medians in microseconds."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    shuffler = random.Random(1)
    number = 0
    gc.collect()
    for round_number in range(rounds + 1):
        for name in shuffler.sample(list(calls), k=len(calls)):
            call = calls[name]
            for i in range(number, number + ticks):
                started = time.perf_counter()
                call(i)
                if round_number:
                    seconds[name].append(time.perf_counter() - started)
                else:
                    seconds[name] = []
        number += ticks
    return {name: 1e6 * statistics.median(times) for name, times in seconds.items()}


def header() -> str:
    """Say what runs here."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"Python {platform.python_version()}, {packages}\n{platform.system()} {platform.machine()}"


def agree(results: dict[str, float]) -> None:
    """Refuse to time engines that do not compute the same."""
    first = next(iter(results.values()))
    if any(abs(result / first - 1) > 1e-12 for result in results.values()):
        raise SystemExit(f"the engines disagree: {results}")
    if "loop" in results and results.get("bank_python", results["loop"]) != results["loop"]:
        raise SystemExit(f"not the same to the bit: {results}")


def spot_values(seed: int = 7) -> list[float]:
    """Return prices to tick through."""
    rng = random.Random(seed)
    return [90.0 + 20.0 * rng.random() for _ in range(5000)]


# --- one spot and all spots, the same cheap function in every engine -------------------------------


def serve(connection: Connection, kind: str, method: str) -> None:
    """Run one engine in a process of its own: answer rounds of ticks with their times and the last result."""
    import _dagger_peers as peers

    engine = getattr(peers, kind)(SPOTS, OPTIONS)
    call, values = getattr(engine, method), spot_values()
    pages = [[values[(37 * i + spot) % len(values)] for spot in range(SPOTS)] for i in range(50)]
    arguments: list[Any] = pages if kind not in ARRAYS else [np.array(page) for page in pages]
    gc.collect()
    connection.send(None)
    while True:
        job = connection.recv()
        if job is None:
            break
        times, result = [], 0.0
        for i in range(*job):
            given = (arguments[i % 50],) if method == "every" else (i % SPOTS, values[i % len(values)])
            started = time.perf_counter()
            result = call(*given)
            times.append(time.perf_counter() - started)
        connection.send((times, result))
    getattr(engine, "close", lambda: None)()


def in_turns(engines: dict[str, tuple[str, str]], rounds: int, ticks: int) -> dict[str, float]:
    """Time engines, each in a process of its own so that none disturbs another, in turn and in shuffled order.

    All get the same ticks; after every round their results have to agree.
    """
    context = multiprocessing.get_context("spawn")
    ends: dict[str, Connection] = {}
    for name, (kind, method) in engines.items():
        ends[name], other = context.Pipe()
        context.Process(target=serve, args=(other, kind, method), daemon=True).start()
    for end in ends.values():
        end.recv()
    shuffler, seconds = random.Random(1), {name: list[float]() for name in engines}
    for number in range(rounds + 1):
        results: dict[str, float] = {}
        for name in shuffler.sample(list(engines), k=len(engines)):
            ends[name].send((number * ticks, (number + 1) * ticks))
            times, results[name] = ends[name].recv()
            if number:
                seconds[name] += times
        agree(results)
    for end in ends.values():
        end.send(None)
    return {name: 1e6 * statistics.median(times) for name, times in seconds.items()}


def replayed_by_csp(ticks: list[dict[int, float]]) -> dict[str, float]:
    """Time csp inside its own engine, with running sums and with exact ones."""
    import _dagger_peers as peers

    medians = {}
    for exact in (False, True):
        times, _ = peers.csp_replay(SPOTS, OPTIONS, ticks, exact=exact)
        medians[CSP_EXACT if exact else CSP_RUNNING] = 1e6 * statistics.median(times)
    return medians


def case_one(report: Report, rounds: int) -> None:
    """One spot → firm."""
    import _dagger_peers as peers

    values = spot_values()
    ours = peers.Ours(SPOTS, OPTIONS)
    ours.spots[3].set(100.5)
    counted, expected = ours.graph.recalculate().evaluated, 28 + 8 + 1
    if counted != expected:
        raise SystemExit(f"{counted} evaluations, {expected} would do")
    medians = in_turns(
        {
            "bank_python": ("Ours", "one"),
            "bank_python, without recalculate": ("Ours", "one_read"),
            "loop": ("Floor", "one"),
            CSP_LIVE: ("CspLive", "one"),
        },
        rounds,
        500,
    )
    medians |= in_turns({"reaktiv": ("Reaktiv", "one"), "calyxos": ("Calyxos", "one")}, 3, 20)
    small, check = peers.Loman(36, 1000), peers.Floor(36, 1000)
    agree({"loman": small.one(5, values[0]), "loop": check.one(5, values[0])})
    medians |= timed({"loman (36 spots, 1,000 options)": lambda i: small.one(i % 36, values[i])}, 3, 7)
    medians |= replayed_by_csp([{k % SPOTS: values[k]} for k in range(3000)])
    report.case(
        f"one spot → firm ({SPOTS} spots, {OPTIONS:,} options, 14 books)", medians, f"{expected} evaluations: the least"
    )
    mine = medians["bank_python"]
    report.ratio("one spot: csp live / bank_python", medians[CSP_LIVE] / mine, "≥ 2")
    report.ratio("one spot: csp replay, exact sums / bank_python", medians[CSP_EXACT] / mine, "≥ 2")
    report.ratio("one spot: reaktiv / bank_python", medians["reaktiv"] / mine, "≥ 300")
    report.ratio("one spot: bank_python / loop", mine / medians["loop"], "≤ 2.5")


def case_all(report: Report, rounds: int) -> None:
    """All spots → firm."""
    import _dagger_peers as peers

    ours, values = peers.OursArrays(SPOTS, OPTIONS), spot_values()
    before = ours.graph.evaluations
    ours.every(np.array(values[:SPOTS]))
    counted, expected = ours.graph.evaluations - before, OPTIONS + peers.BOOKS + 1
    if counted != expected:
        raise SystemExit(f"{counted} evaluations, {expected} would do")
    medians = in_turns(
        {
            "numpy: gather, price, bincount, sum": ("Numpy", "every"),
            "numba loop: gather, price, add up": ("Compiled", "every"),
            "bank_python, array nodes: block.set + read": ("OursArrays", "every"),
            "bank_python, functions: batch + recalculate": ("Ours", "every"),
            "loop": ("Floor", "every"),
            CSP_ARRAYS: ("CspArrays", "every"),
            CSP_LIVE: ("CspLive", "every"),
        },
        rounds,
        30,
    )
    medians |= in_turns({"reaktiv": ("Reaktiv", "every")}, 3, 3)
    pages = [values[k : k + SPOTS] for k in range(200)]
    medians |= replayed_by_csp([dict(enumerate(page)) for page in pages])
    times, last = peers.csp_array_replay(SPOTS, OPTIONS, [np.array(page) for page in pages])
    agree({"numpy": peers.Numpy(SPOTS, OPTIONS).every(pages[-1]), CSP_ARRAYS_REPLAYED: last})
    medians[CSP_ARRAYS_REPLAYED] = 1e6 * statistics.median(times)
    report.case(f"all {SPOTS} spots → firm", medians, f"{counted:,} evaluations: the least")
    bare, mine = medians["numpy: gather, price, bincount, sum"], medians["bank_python, array nodes: block.set + read"]
    report.ratio("all spots: bank_python / bare numpy batch", mine / bare, "≤ 3")
    report.ratio("all spots: bank_python / numba loop", mine / medians["numba loop: gather, price, add up"], "none")
    report.ratio("all spots: csp live, array series / bank_python", medians[CSP_ARRAYS] / mine, "none")
    report.ratio("all spots: csp replay, array series / bank_python", medians[CSP_ARRAYS_REPLAYED] / mine, "none")
    report.ratio("all spots: csp live / bank_python", medians[CSP_LIVE] / mine, "≥ 15")
    report.ratio("all spots: csp replay, exact sums / bank_python", medians[CSP_EXACT] / mine, "≥ 15")


# --- the real Option -----------------------------------------------------------------------------


def case_option(report: Report, rounds: int) -> None:
    """One spot → firm with bank_python's Option, and the same without a graph."""
    import _dagger_peers as peers
    import _plain_peers as plain

    from bank_python.instruments import Option

    values, book_of = spot_values(), [peers.book_of(i, SPOTS) for i in range(OPTIONS)]
    strikes = [peers.strike_of(i) for i in range(OPTIONS)]
    expiries = [0.25 + (i % 8) / 4 for i in range(OPTIONS)]
    graph = DependencyGraph()
    spots = [graph.register(Leaf(f"S{i}", 100.0, domain="positive")) for i in range(SPOTS)]
    vol, rate = graph.register(Leaf("VOL", 0.2)), graph.register(Leaf("RATE", 0.04))
    books: list[list[Any]] = [[] for _ in range(peers.BOOKS)]
    for i in range(OPTIONS):
        option = Option(
            f"O{i}",
            spot_source=spots[i % SPOTS],
            vol_source=vol,
            rate_source=rate,
            strike=strikes[i],
            expiry=expiries[i],
        )
        books[book_of[i]].append(graph.register(option))
    firm = graph.sum("FIRM", [graph.sum(f"B{j}", book) for j, book in enumerate(books)])
    graph.recalculate()
    held = {"strike": np.array(strikes[::SPOTS]), "expiry": np.array(expiries[::SPOTS])}
    number = len(held["strike"])
    fixed = {"clock": 0.0, "vol": 0.2, "rate": 0.04, "dividend": 0.0, "made_at": 0.0, "is_call": 1.0}
    arguments = {**{key: np.full(number, value) for key, value in fixed.items()}, **held}

    def tick(i: int) -> float:
        spots[i % SPOTS].set(values[i % 4999])
        graph.recalculate()
        return firm.value  # type: ignore[return-value]  # a float

    def bare(i: int) -> object:
        with np.errstate(all="ignore"):
            return Option.price(spot=np.full(number, values[i % 4999]), **arguments)

    spots[0].set(95.0)
    done = graph.recalculate()
    if done.evaluated != number + 8 + 1:
        raise SystemExit(f"{done.evaluated} evaluations, {number + 9} would do")
    bare_call, ours = f"Option.price on {number} options", "bank_python, one spot → firm"
    calls: dict[str, Callable[[int], object]] = {bare_call: bare, ours: tick}
    firms = {
        "math.erfc loop": plain.ErfcFirm,
        "numpy + scipy ndtr": plain.NdtrFirm,
        "numba loop": plain.CompiledFirm,
    }
    for name, kind in firms.items():
        peer = kind(strikes, expiries, book_of, SPOTS, peers.BOOKS, (0.04, 0.2, 0.0))
        peer.one(0, 95.0)
        calls[name] = lambda i, peer=peer: peer.one(i % SPOTS, values[i % 4999])

    def compare(i: int) -> None:
        agree({name: call(i) for name, call in calls.items() if name != bare_call})  # type: ignore[misc]  # floats

    compare(1)
    medians = timed(calls, rounds, 200)
    compare(2)  # after all those ticks as well
    report.case("one spot → firm with the real Option", medians, f"{done.evaluated} evaluations: the least")
    mine = medians[ours]
    report.ratio("real Option: bank_python / one vectorised call on the same options", mine / medians[bare_call], "≤ 2")
    for name in firms:
        report.ratio(f"real Option: bank_python / {name}", mine / medians[name], "none")


def case_single(report: Report, rounds: int) -> None:
    """One option alone: in a graph, by its class, and by its formula."""
    import _plain_peers as plain

    from bank_python.instruments import Option

    values, (strike, expiry, rate, vol, dividend) = spot_values(), (105.0, 0.75, 0.04, 0.2, 0.0)
    graph = DependencyGraph()
    spot = graph.register(Leaf("S", 100.0, domain="positive"))
    leaves = {"vol_source": graph.register(Leaf("VOL", vol)), "rate_source": graph.register(Leaf("RATE", rate))}
    option = graph.register(Option("O", spot_source=spot, strike=strike, expiry=expiry, **leaves))
    fixed = {"clock": 0.0, "vol": vol, "rate": rate, "dividend": dividend, "made_at": 0.0, "is_call": True}

    def tick(i: int) -> float:
        spot.set(values[i % 4999])
        return option.value  # type: ignore[return-value]  # a float

    terms = (strike, expiry, rate, vol, dividend)
    calls: dict[str, Callable[[int], float]] = {
        "bank_python: set + read": tick,
        "Option.price": lambda i: Option.price(spot=values[i % 4999], strike=strike, expiry=expiry, **fixed),
        "math.erfc": lambda i: plain.erfc_price(values[i % 4999], *terms),
        "numpy + scipy ndtr": lambda i: plain.ndtr_price(values[i % 4999], *terms),
        "numba": lambda i: plain.compiled_price(values[i % 4999], *terms),
    }
    agree({name: call(1) for name, call in calls.items()})
    medians = timed(calls, rounds, 200)
    report.case("one Option alone: its spot moves, its price is read", medians)
    for name in list(calls)[2:]:
        report.ratio(
            f"one Option alone: bank_python / {name}", medians["bank_python: set + read"] / medians[name], "none"
        )


# --- shapes: chain, ladder, cutoff -----------------------------------------------------------------


def increment(x: float) -> float:
    """Return the next value of a chain."""
    return x + 1.0


def add(x: float, y: float) -> float:
    """Close a diamond."""
    return 0.5 * (x + y)


def build_shape(shape: str, length: int) -> dict[str, Callable[[int], object]]:
    """Build a chain or a ladder of diamonds in each engine; return what ticks it."""
    import reaktiv

    graph, loop, signal = DependencyGraph(), Loop(), reaktiv.Signal(0.0)
    leaf = graph.register(Leaf("L", 0.0))
    ours: Any = leaf
    number = source = loop.leaf("L", 0.0)
    computed: Any = signal
    for i in range(length):
        if shape == "chain":
            ours = graph.derive(f"C{i}", increment, [ours])
            number = loop.node(f"C{i}", increment, [number])
            computed = reaktiv.Computed(lambda below=computed: increment(below()))
        else:
            ours = graph.derive(f"C{i}", add, [graph.derive(f"{side}{i}", increment, [ours]) for side in "AB"])
            number = loop.node(f"C{i}", add, [loop.node(f"{side}{i}", increment, [number]) for side in "AB"])
            sides = [reaktiv.Computed(lambda below=computed: increment(below())) for _ in range(2)]
            computed = reaktiv.Computed(lambda a=sides[0], b=sides[1]: add(a(), b()))
    graph.recalculate()

    def tick(i: int) -> object:
        leaf.set(float(i % 100 + 1))
        graph.recalculate()
        return ours.value

    def loop_tick(i: int) -> float:
        loop.set(source, float(i % 100 + 1))
        loop.recalculate()
        return loop.values[number]

    def reaktiv_tick(i: int) -> object:
        signal.set(float(i % 100 + 1))
        return computed()

    before = graph.evaluations
    if not tick(1) == loop_tick(1) == reaktiv_tick(1):
        raise SystemExit(f"{shape}: the engines disagree")
    least = length if shape == "chain" else 3 * length
    if graph.evaluations - before != least:
        raise SystemExit(f"{shape}: {graph.evaluations - before} evaluations, {least} would do")
    return {"bank_python": tick, "loop": loop_tick, "reaktiv": reaktiv_tick}


def case_shapes(report: Report, rounds: int) -> None:
    """Chain and diamond ladder."""
    sys.setrecursionlimit(100_000)  # for reaktiv, which reads a chain recursively
    for shape, length in (("chain", 300), ("ladder", 100)):
        medians = timed(build_shape(shape, length), rounds, 50)
        nodes = length if shape == "chain" else 3 * length
        report.case(f"{shape} of {nodes} functions", medians)
        report.ratio(f"{shape}: bank_python / loop", medians["bank_python"] / medians["loop"], "≤ 2.5")
        report.ratio(f"{shape}: reaktiv / bank_python", medians["reaktiv"] / medians["bank_python"], "≥ 10")


def case_cutoff(report: Report, rounds: int) -> None:
    """Tick a node that comes out the same above many dependents."""
    for dependents in (300, 30_000):
        graph, loop = DependencyGraph(), Loop()
        leaf = graph.register(Leaf("L", 0.5))
        floor = graph.derive("FLOOR", lambda x: float(int(x)), [leaf])
        number = loop.leaf("L", 0.5)
        loop_floor = loop.node("FLOOR", lambda x: float(int(x)), [number])
        for i in range(dependents):
            graph.derive(f"D{i}", increment, [floor])
            loop.node(f"D{i}", increment, [loop_floor])
        graph.recalculate()
        evaluations = graph.evaluations

        def tick(i: int, leaf: Leaf = leaf, graph: DependencyGraph = graph) -> object:
            leaf.set((i % 97) / 100)
            return graph.recalculate()

        def loop_tick(i: int, number: int = number, loop: Loop = loop) -> None:
            loop.set(number, (i % 97) / 100)
            loop.recalculate()

        tick(3)
        if graph.evaluations != evaluations + 1:
            raise SystemExit("cutoff: the wave did not end at the floor")
        medians = timed({"bank_python": tick, "loop": loop_tick}, rounds, 500)
        report.case(f"cutoff above {dependents:,} dependents", medians, "1 evaluation: the least")
        report.ratio(
            f"cutoff, {dependents:,} dependents: bank_python / loop", medians["bank_python"] / medians["loop"], "≤ 3"
        )


# --- size and what-if ------------------------------------------------------------------------------


def case_size(report: Report, rounds: int) -> None:
    """100,000 nodes: building, and memory over the interpreter."""
    results: dict[str, list[list[float]]] = {"bank_python": [], "loop": []}
    here = __file__.rpartition("/")[0] or "."
    for _ in range(max(3, rounds // 10)):
        for name, parts in (("bank_python", _OURS), ("loop", _FLOOR)):
            program = _SIZE.format(here=here, **parts)
            done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
            results[name].append([float(figure) for figure in done.stdout.split()])
    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in results.items()
    }
    report.case(
        "100,000 nodes: build",
        {name: 1e6 * seconds for name, (seconds, _, _) in medians.items()},
        "; ".join(
            f"{name}: {built:.0f} MB built, {run:.0f} MB after a tick" for name, (_, built, run) in medians.items()
        ),
    )
    report.ratio("100,000 nodes: build, bank_python / loop", medians["bank_python"][0] / medians["loop"][0], "≤ 3")
    report.ratio("100,000 nodes: MB over the interpreter", medians["bank_python"][2], "≤ 100")


def case_what_if(report: Report, rounds: int) -> None:
    """One-spot what-if against a plain tick."""
    import _dagger_peers as peers

    values = spot_values()
    ours = peers.Ours(SPOTS, OPTIONS)
    ours.one(0, 101.0)
    inside = ours.what_if(1, 102.0)
    before = ours.graph.evaluations
    if ours.one(1, 102.0) != inside or ours.graph.evaluations - before != 28 + 8 + 1:
        raise SystemExit("a what-if left something behind")
    medians = timed(
        {
            "tick: set + recalculate + read": lambda i: ours.one(i % SPOTS, values[i % 4999]),
            "what-if: enter + read + leave": lambda i: ours.what_if(i % SPOTS, values[i % 4999]),
        },
        rounds,
        500,
    )
    before = ours.graph.evaluations
    ours.what_if(5, 77.0)
    report.case(
        "one-spot what-if", medians, f"{ours.graph.evaluations - before} evaluations in the graph, none on leaving"
    )
    tick, what_if = medians.values()
    report.ratio("what-if / tick", what_if / tick, "≤ 2.5")


CASES: dict[str, Callable[[Report, int], None]] = {
    "one": case_one,
    "option": case_option,
    "single": case_single,
    "all": case_all,
    "shapes": case_shapes,
    "cutoff": case_cutoff,
    "size": case_size,
    "whatif": case_what_if,
}


def main(arguments: Iterable[str] | None = None) -> None:
    keep_freed_memory()
    parser = argparse.ArgumentParser(description="Dagger beside csp, reaktiv, calyxos, loman, numpy, numba, loops.")
    parser.add_argument("--rounds", type=int, default=30, help="recorded rounds of each case (default 30)")
    parser.add_argument("--only", default=",".join(CASES), help=f"which cases, of {', '.join(CASES)}")
    given = parser.parse_args(None if arguments is None else list(arguments))
    wanted = given.only.split(",")
    unknown = [name for name in wanted if name not in CASES]
    if unknown:
        parser.error(f"no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    print(header())
    report = Report()
    for name in wanted:
        CASES[name](report, given.rounds)
    report.close()


if __name__ == "__main__":
    main()
