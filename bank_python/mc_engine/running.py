"""Running the chunks of a simulation: here, in threads, in processes, on a cluster.

Chunks are handed out a few at a time, so that memory does not grow with their number, and put in their place as they
come back. A chunk that fails, or whose worker died, fails the simulation by name: part of a result is not one.
"""

from __future__ import annotations

import os
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.errors import BankError, SimulationCancelledError, SimulationError
from bank_python.mc_engine.simulation import TAIL, TailSample

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from bank_python.mc_engine.simulation import Chunk, Simulation

__all__ = ["run_simulation"]

_AHEAD = 8
_AROUND = 8
_SELDOM = 0.2  # seconds between looks at whether the simulation was cancelled


def run_simulation(
    simulation: Simulation,
    executor: Executor | None,
    progress: Callable[[int, int], object] | None,
    cancel: threading.Event | None,
) -> tuple[NDArray[Any], TailSample, NDArray[Any]]:
    """Run all chunks.

    Returns
    -------
    pnl : ndarray, shape (units, n_paths)
        P&L, in the order of the scenarios.
    worst : TailSample
        The worst tenth of the scenarios.
    alone : ndarray, shape (watched, n_paths)
        What the watched factors make by themselves.

    Raises
    ------
    SimulationError
        A chunk failed, or its worker died.
    SimulationCancelledError
        `cancel` was set.
    """
    total = simulation.chunks
    pnl: NDArray[Any] | None = None
    alone: NDArray[Any] = np.zeros((len(simulation.watched), simulation.n_paths))
    samples: list[TailSample | None] = [None] * total
    with _executor_for(simulation, executor) as pool:
        for done, chunk in enumerate(_completed(simulation, pool, cancel), start=1):
            if pnl is None:
                pnl = np.empty((len(chunk.pnl), simulation.n_paths), dtype=chunk.pnl.dtype)
            start = chunk.index * simulation.chunk
            pnl[:, start : start + chunk.pnl.shape[1]] = chunk.pnl
            alone[:, start : start + chunk.pnl.shape[1]] = chunk.alone
            samples[chunk.index] = chunk.worst
            if progress is not None:
                progress(done, total)
    if pnl is None:
        raise SimulationError("there was no chunk to run")
    worst = _worst(simulation, pnl.sum(axis=0), [sample for sample in samples if sample is not None])
    return pnl, worst, alone


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
    waiting: dict[Future[Chunk], int] = {}
    left = iter(range(simulation.chunks))
    done_count = 0
    try:
        while True:
            for index in left:
                waiting[_submit(pool, simulation, index)] = index
                if len(waiting) >= _AHEAD:
                    break
            if not waiting:
                return
            finished, _ = wait(waiting, timeout=None if cancel is None else _SELDOM, return_when=FIRST_COMPLETED)
            for future in finished:
                _refuse_cancelled(cancel, done_count, simulation.chunks)
                yield _outcome(future, waiting.pop(future))
                done_count += 1
            _refuse_cancelled(cancel, done_count, simulation.chunks)
    finally:
        for future in waiting:
            future.cancel()


def _refuse_cancelled(cancel: threading.Event | None, done: int, total: int) -> None:
    if cancel is not None and cancel.is_set():
        raise SimulationCancelledError(
            f"cancelled after {done} of {total} chunks; nothing is handed back", done=done, total=total
        )


def _submit(pool: Executor, simulation: Simulation, index: int) -> Future[Chunk]:
    try:
        return pool.submit(simulation.run, index)
    except RuntimeError as error:  # a pool that is shut down, or whose workers died
        raise _broken(index, error) from error


def _outcome(future: Future[Chunk], index: int) -> Chunk:
    try:
        return future.result()
    except BankError:
        raise
    except Exception as error:
        raise _broken(index, error) from error


def _broken(index: int, error: Exception) -> SimulationError:
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return SimulationError(
        f"chunk {index} was not done, its worker failed ({said}); nothing is handed back. Run again with an executor "
        "whose workers live",
        value=index,
    )


def _worst(simulation: Simulation, total: NDArray[Any], samples: list[TailSample]) -> TailSample:
    """Return the worst scenarios of all, each chunk's sample having at least those of its own."""
    # Of few, more than a tenth: the worst twentieth, and those around its edge.
    count = min(max(int(TAIL * len(total)), int(0.5 * TAIL * len(total)) + _AROUND), len(total))
    wanted = np.sort(np.argpartition(total, count - 1)[:count])
    bounds = np.searchsorted(wanted, np.arange(simulation.chunks + 1) * simulation.chunk)
    parts = []
    for index, sample in enumerate(samples):
        here = wanted[bounds[index] : bounds[index + 1]]
        known = sample
        if not np.isin(here, known.scenarios).all():  # one chance in a billion: the chunk had more than its share
            known = simulation.run(index, keep=simulation.size(index)).worst
        parts.append(known.levels[:, np.searchsorted(known.scenarios, here)])
    return TailSample(wanted, np.concatenate(parts, axis=1))
