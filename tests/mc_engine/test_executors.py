"""Executors of the chunks: threads, processes, a cluster; workers that die; bitwise identical results."""

import concurrent.futures
import hashlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bank_python import MCConfig, MonteCarloEngine
from bank_python.errors import SimulationError
from bank_python.mc_engine.running import run_simulation
from bank_python.mc_engine.simulation import Simulation
from tests.mc_engine.books import Mixed

ROOT = Path(__file__).parents[2]
CONFIG = {"n_paths": 20_000, "chunk": 1_000, "random_seed": 8, "stresses": (), "validate_greeks": False}


def digest(result):
    return hashlib.sha256(result.pnl.tobytes() + repr((result.traders, result.factors)).encode()).hexdigest()


def processes():
    """Return a pool of two spawned workers: a fork of a process with threads may hang."""
    return concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))


def run(executor=None, **config):
    held = Mixed()
    engine = MonteCarloEngine(held.books, held.graph, factor_model=held.factor_model)
    return engine.run(MCConfig(**CONFIG | config, executor=executor))


class Backwards(concurrent.futures.Executor):
    """An executor that collects eight tasks, then runs the last first."""

    def __init__(self):
        self.waiting = []

    def submit(self, function, /, *arguments):
        future = concurrent.futures.Future()
        self.waiting.append((future, function, arguments))
        if len(self.waiting) == 8 or arguments[0] == 19:
            while self.waiting:
                future_, function_, arguments_ = self.waiting.pop()
                future_.set_result(function_(*arguments_))
        return future


@pytest.mark.parametrize("model", ["gbm", "heston", "merton"])
def test_the_numbers_do_not_depend_on_threads_or_order(model):
    expected = digest(run(model=model))
    for workers in (1, 2, 8):
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            assert digest(run(pool, model=model)) == expected
    assert digest(run(Backwards(), model=model)) == expected


def test_the_numbers_do_not_depend_on_processes():
    expected = digest(run())
    with processes() as pool:
        assert digest(run(pool)) == expected


def test_other_threads_in_the_linear_algebra_change_nothing():
    program = (
        "from tests.mc_engine.test_executors import digest, run; print(digest(run()), digest(run(dtype='float32')))"
    )
    digests = set()
    for threads in ("1", "2"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def test_a_worker_that_dies_fails_the_whole_by_name():
    killed = []

    def progress(done, _total):
        if done == 2:
            os.kill(next(iter(pool._processes)), signal.SIGKILL)
            killed.append(done)

    with (
        processes() as pool,
        pytest.raises(SimulationError, match=r"chunk \d+ failed with its worker \(BrokenProcessPool"),
    ):
        run(pool, n_paths=60_000, progress=progress)
    assert killed == [2]


def test_a_pool_that_is_closed_is_named():
    pool = concurrent.futures.ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(SimulationError, match="cannot schedule new futures after shutdown"):
        run(pool)


def test_a_chunk_with_more_than_its_share_of_the_worst_is_run_again(monkeypatch):
    held = Mixed()
    simulation = MonteCarloEngine(held.books, held.graph, factor_model=held.factor_model).prepare(MCConfig(**CONFIG))
    whole = run_simulation(simulation, None, None, None)[1]
    monkeypatch.setattr("bank_python.mc_engine.simulation._ample_tail", lambda _size: 20)
    few = run_simulation(simulation, None, None, None)[1]
    assert np.array_equal(few.scenarios, whole.scenarios)
    assert np.array_equal(few.levels, whole.levels)
    assert isinstance(simulation, Simulation)


CLUSTER = """
import json, os, signal, sys
from distributed import Client, LocalCluster
from tests.mc_engine.test_executors import digest, run

if __name__ == "__main__":
    killed = []
    with LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster, Client(cluster) as client:
        plain = digest(run(client.get_executor(), n_paths=40_000))
        pids = list(client.run(os.getpid).values())

        def progress(done, total):
            if done == 5:
                os.kill(pids[0], signal.SIGKILL)
                killed.append(done)

        hurt = digest(run(client.get_executor(), n_paths=40_000, progress=progress))
    print(json.dumps({"plain": plain, "hurt": hurt, "killed": killed}))
"""


def test_a_cluster_gives_the_same_numbers_even_if_a_worker_is_killed(tmp_path):
    pytest.importorskip("distributed")
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DASK_TEMPORARY_DIRECTORY": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout.strip().splitlines()[-1])
    assert printed["killed"] == [5]
    assert printed["plain"] == printed["hurt"] == digest(run(n_paths=40_000))


MEMORY = """
import sys
from bank_python import MCConfig, MonteCarloEngine, ReactiveRisk
from tests.mc_engine.test_executors import wide_book

def resident(what):
    with open("/proc/self/status") as status:  # getrusage may report the parent's peak
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(what))

held = wide_book()
config = dict(n_paths=100_000, stresses=(), validate_greeks=False, dtype=sys.argv[2])
engine = MonteCarloEngine(held.books, held.graph, factor_model=held.factor_model)
engine.run(MCConfig(**config | {"n_paths": 8_192}))  # warms up
before = resident("VmRSS")
if sys.argv[1] == "batch":
    engine.run(MCConfig(**config))
else:
    risk = ReactiveRisk(held.books, held.graph, held.factor_model, MCConfig(**config))
    risk.var_99.value
    with held.graph.batch():
        for leaf in held.spots:
            leaf.set_price(leaf.price * 1.01)
    risk.var_99.value
print(resident("VmHWM") - before)
"""


def wide_book(factors=186):
    """Shares of 186 names, one group for each."""
    from bank_python.dagger import DependencyGraph
    from bank_python.instruments import Book, Equity, Position
    from bank_python.market_data import MarketData
    from bank_python.mc_engine import FactorModel
    from tests.mc_engine.books import factor_correlation

    class Wide:
        graph = DependencyGraph()

    held = Wide()
    held.spots = [held.graph.register(MarketData(f"S{i}_SPOT", 50.0 + i)) for i in range(factors)]
    shares = [Equity(f"S{i}", spot_source=spot) for i, spot in enumerate(held.spots)]
    held.books = [
        held.graph.register(
            Book(
                f"T{t}",
                [
                    Position(f"T{t}:{s.name}", instrument=s, quantity=1.0 + (7 * i + t) % 5)
                    for i, s in enumerate(shares)
                ],
            )
        )
        for t in range(14)
    ]
    names = [leaf.name for leaf in held.spots]
    held.factor_model = FactorModel.given(dict.fromkeys(names, 0.3), factor_correlation(factors))
    return held


@pytest.mark.parametrize(
    ("mode", "dtype", "most"),
    [
        ("batch", "float64", 200.0),
        ("batch", "float32", 200.0),
        ("reactive", "float64", 450.0),
        ("reactive", "float32", 225.0),
    ],
)
def test_memory_is_bounded(mode, dtype, most):
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, mode, dtype], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < most
