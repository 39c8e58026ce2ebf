"""Execution of a simulation's chunks in threads, in processes or on a cluster.

Results are stored in the order of the scenarios. If a chunk fails or its worker dies, the simulation fails with an
error that names the chunk; there is no partial result.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.errors import BankError, SimulationCancelledError, SimulationError
from bank_python.mc_engine.simulation import TAIL, TailSample
from bank_python.walpole.numbered_tasks import completed_tasks

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor, Future

    from numpy.typing import NDArray

    from bank_python.mc_engine.simulation import Chunk, Simulation

__all__ = ["run_simulation"]

_MARGIN = 8


def run_simulation(
    simulation: Simulation,
    executor: Executor | None,
    progress: Callable[[int, int], object] | None,
    cancel: threading.Event | None,
) -> tuple[NDArray[Any], TailSample, NDArray[Any]]:
    """Run all chunks of a simulation.

    Returns
    -------
    pnl : ndarray, shape (units, n_paths)
        P&L, in the order of the scenarios.
    worst : TailSample
        The worst tenth of the scenarios.
    single_factor_pnl : ndarray, shape (watched, n_paths)
        P&L of the watched factors, each moved on its own.

    Raises
    ------
    SimulationError
        A chunk failed, or its worker died.
    SimulationCancelledError
        `cancel` was set.
    """
    total = simulation.chunks
    pnl: NDArray[Any] | None = None
    single_factor_pnl: NDArray[Any] = np.zeros((len(simulation.watched), simulation.n_paths))
    samples: list[TailSample | None] = [None] * total
    with _executor_for(simulation, executor) as pool:
        for done, chunk in enumerate(_completed(simulation, pool, cancel), start=1):
            if pnl is None:
                pnl = np.empty((len(chunk.pnl), simulation.n_paths), dtype=chunk.pnl.dtype)
            start = chunk.index * simulation.chunk
            pnl[:, start : start + chunk.pnl.shape[1]] = chunk.pnl
            single_factor_pnl[:, start : start + chunk.pnl.shape[1]] = chunk.single_factor_pnl
            samples[chunk.index] = chunk.worst
            if progress is not None:
                progress(done, total)
    if pnl is None:
        raise SimulationError("the simulation has no chunk to run")
    worst = _worst(simulation, pnl.sum(axis=0), [sample for sample in samples if sample is not None])
    return pnl, worst, single_factor_pnl


@contextmanager
def _executor_for(simulation: Simulation, given: Executor | None) -> Iterator[Executor]:
    if given is not None:
        yield given
        return
    pool = ThreadPoolExecutor(min(os.cpu_count() or 1, simulation.chunks), thread_name_prefix="monte-carlo")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _completed(simulation: Simulation, pool: Executor, cancel: threading.Event | None) -> Iterator[Chunk]:
    done = 0
    for index, future in completed_tasks(simulation.run, simulation.chunks, pool, cancel):
        yield _outcome(future, index)
        done += 1
    if cancel is not None and cancel.is_set():
        raise SimulationCancelledError(
            f"cancelled after {done} of {simulation.chunks} chunks; there is no partial result",
            done=done,
            total=simulation.chunks,
        )


def _outcome(future: Future[Chunk], index: int) -> Chunk:
    try:
        return future.result()
    except BankError:
        raise
    except Exception as error:
        raise _broken(index, error) from error


def _broken(index: int, error: Exception) -> SimulationError:
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return SimulationError(
        f"chunk {index} failed with its worker ({reason}); there is no partial result. Run again with a working "
        "executor",
        value=index,
    )


def _worst(simulation: Simulation, total: NDArray[Any], samples: list[TailSample]) -> TailSample:
    """Return the worst scenarios of all chunks, from the worst of each."""
    # With few scenarios this is more than a tenth: the 95 % quantile needs a margin beyond the worst twentieth.
    count = min(max(int(TAIL * len(total)), int(0.5 * TAIL * len(total)) + _MARGIN), len(total))
    wanted = np.sort(np.argpartition(total, count - 1)[:count])
    bounds = np.searchsorted(wanted, np.arange(simulation.chunks + 1) * simulation.chunk)
    parts = []
    for index, sample in enumerate(samples):
        here = wanted[bounds[index] : bounds[index + 1]]
        known = sample
        if not np.isin(here, known.scenarios).all():  # the sample was too small, with probability 1e-9
            known = simulation.run(index, keep=simulation.size(index)).worst
        parts.append(known.levels[:, np.searchsorted(known.scenarios, here)])
    return TailSample(wanted, np.concatenate(parts, axis=1))
