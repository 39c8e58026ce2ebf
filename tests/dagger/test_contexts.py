"""Ownership of batches and scenarios: tasks, threads and generators see their own, and never a mixture."""

import _thread
import asyncio
import contextlib
import contextvars
import gc
import threading

import pytest

from bank_python.dagger import DependencyGraph, Leaf, MemoryJournal
from bank_python.errors import BankError, GraphError


@pytest.fixture
def graph():
    made = DependencyGraph()
    made.register(Leaf("A", 1.0))
    made.register(Leaf("B", 10.0))
    made.derive("D", lambda a, b: a + b, ["A", "B"])
    made.recalculate()
    return made


def in_thread(function, *args):
    """Run something in a thread that ends within seconds, and return what it returned."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function(*args)), daemon=True)
    thread.start()
    thread.join(5)
    assert results, "the thread hangs or has failed"
    return results[0]


def values(graph):
    return graph["A"].value, graph["B"].value, graph["D"].value


def assert_closed(graph):
    in_thread(graph.recalculate)
    assert graph._engine.batches == []
    a, b, d = values(graph)
    assert d == a + b
    assert in_thread(values, graph) == (a, b, d)


# --- tasks -----------------------------------------------------------------------------------------


def test_a_task_made_inside_a_scenario_sees_it_while_it_is_open_and_then_the_base(graph):
    async def child(opened, closed):
        seen = [values(graph)]
        opened.set()
        await closed.wait()
        return [*seen, values(graph)]

    async def main():
        opened, closed = asyncio.Event(), asyncio.Event()
        with graph.scenario({"A": 100.0}):
            task = asyncio.create_task(child(opened, closed))
            await opened.wait()
        closed.set()
        return await task

    assert asyncio.run(main()) == [(100.0, 10.0, 110.0), (1.0, 10.0, 11.0)]


def test_a_thread_given_the_context_sees_the_scenario_while_it_is_open(graph):
    async def main():
        with graph.scenario({"A": 100.0}):
            inside = await asyncio.to_thread(values, graph)
        return inside, await asyncio.to_thread(values, graph)

    assert asyncio.run(main()) == ((100.0, 10.0, 110.0), (1.0, 10.0, 11.0))


def test_a_scenario_sees_nodes_that_came_and_were_computed_since(graph):
    total = graph.sum("S", ["D"])
    graph.recalculate()

    def grow():
        with graph.batch():
            total.add(graph.derive("N", lambda b: 2.0 * b, ["B"]))
            graph.recalculate()
        return total.value

    with graph.scenario({"A": 100.0}):
        assert in_thread(grow) == 31.0
        assert (total.value, graph["N"].value) == (130.0, 20.0)
    assert total.value == 31.0


def test_a_copied_context_outlives_its_scenario_without_showing_it(graph):
    with graph.scenario({"A": 100.0}):
        context = contextvars.copy_context()
        assert context.run(values, graph) == (100.0, 10.0, 110.0)
    assert context.run(values, graph) == (1.0, 10.0, 11.0)


def interleaved(graph, first, second):
    """Run two tasks that hand over to each other at every `await turn()`."""

    async def main():
        async def turn():
            await asyncio.sleep(0)

        await asyncio.gather(first(turn), second(turn))

    asyncio.run(main())


def test_a_batch_that_fails_leaves_what_another_task_has_committed_meanwhile(graph):
    told = []
    graph.subscribe("B", lambda node: told.append(node.value))

    async def fails(turn):
        with contextlib.suppress(ZeroDivisionError), graph.batch():
            graph["A"].set(100.0)
            await turn()
            await turn()
            _ = 1 / 0

    async def commits(turn):
        with graph.batch():
            graph["B"].set(20.0)
            assert values(graph) == (1.0, 20.0, 21.0)
            await turn()

    before = graph.tick
    interleaved(graph, fails, commits)
    assert values(graph) == (1.0, 20.0, 21.0)
    assert graph.tick > before
    assert told == [20.0]
    assert_closed(graph)


def test_a_batch_that_ends_well_is_kept_when_another_tasks_that_overlaps_fails_later(graph):
    told = []
    graph.subscribe("A", lambda node: told.append(node.value))

    async def commits(turn):
        with graph.batch():
            graph["A"].set(100.0)
            await turn()

    async def fails(turn):
        with contextlib.suppress(ZeroDivisionError), graph.batch():
            graph["A"].set(5.0)
            await turn()
            await turn()
            _ = 1 / 0

    before = graph.tick
    interleaved(graph, commits, fails)
    assert values(graph) == (100.0, 10.0, 110.0)
    assert graph.tick > before
    assert told == [100.0]
    assert_closed(graph)


def test_a_set_of_another_task_during_a_batch_that_fails_is_a_tick_like_any_other(graph):
    journal, told = MemoryJournal(), []
    graph.subscribe("B", lambda node: told.append(node.value))

    async def fails(turn):
        with contextlib.suppress(ZeroDivisionError), graph.batch():
            graph["A"].set(100.0)
            await turn()
            _ = 1 / 0

    async def sets(turn):
        graph["B"].set(20.0)

    before = graph.tick
    with graph.record(journal):
        interleaved(graph, fails, sets)
    assert values(graph) == (1.0, 20.0, 21.0)
    assert in_thread(values, graph) == (1.0, 20.0, 21.0)
    assert graph.tick > before
    assert told == [20.0]
    twin = DependencyGraph()
    twin.register(Leaf("A", 1.0))
    twin.register(Leaf("B", 10.0))
    twin.replay(journal)
    assert (twin["A"].value, twin["B"].value) == (1.0, 20.0)


def look_from_outside(graph, look):
    """Return what another task sees while a batch is open in which A is 100 and D has been read."""
    seen = []

    async def opens(turn):
        with graph.batch():
            graph["A"].set(100.0)
            assert graph["D"].value == 110.0
            await turn()
            assert graph["D"].value == 110.0

    async def looks(turn):
        seen.append(look())

    interleaved(graph, opens, looks)
    assert values(graph) == (100.0, 10.0, 110.0)
    return seen[0]


def test_another_task_reads_the_graph_without_the_open_batch(graph):
    assert look_from_outside(graph, lambda: values(graph)) == (1.0, 10.0, 11.0)


def test_another_tasks_snapshot_is_refused_while_a_batch_is_open(graph):
    def look():
        with pytest.raises(GraphError, match="another task's batch is open"):
            graph.snapshot()
        return values(graph)

    assert look_from_outside(graph, look) == (1.0, 10.0, 11.0)


def test_another_tasks_scenario_is_without_the_open_batch(graph):
    def look():
        with graph.scenario({"B": 0.0}):
            return values(graph)

    assert look_from_outside(graph, look) == (1.0, 0.0, 1.0)


def test_another_tasks_greeks_are_without_the_open_batch(graph):
    assert look_from_outside(graph, lambda: float(graph.greeks("D", "A").value[0])) == 11.0


def test_a_tasks_batch_that_is_cancelled_is_undone(graph):
    async def opens():
        with graph.batch():
            graph["A"].set(100.0)
            await asyncio.Event().wait()

    async def main():
        task = asyncio.create_task(opens())
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert values(graph) == (1.0, 10.0, 11.0)
    assert_closed(graph)


# --- generators ------------------------------------------------------------------------------------


def test_a_suspended_generator_shows_its_scenario_to_nobody(graph):
    def generator(value):
        with graph.scenario({"A": value}):
            yield graph["D"].value
            yield graph["D"].value

    one, other = generator(100.0), generator(200.0)
    assert [next(one), next(other), graph["D"].value] == [110.0, 210.0, 11.0]
    assert [next(one), graph["D"].value, next(other)] == [110.0, 11.0, 210.0]
    one.close()
    assert graph["D"].value == 11.0
    other.close()
    assert graph["D"].value == 11.0


def test_a_suspended_generator_shows_its_batch_to_nobody(graph):
    def generator():
        with graph.batch():
            graph["A"].set(100.0)
            yield graph["D"].value
            yield graph["D"].value

    running = generator()
    assert next(running) == 110.0
    assert graph["D"].value == 11.0
    graph["B"].set(20.0)
    assert values(graph) == (1.0, 20.0, 21.0)
    assert next(running) == 120.0
    running.close()
    assert values(graph) == (1.0, 20.0, 21.0)
    assert_closed(graph)


def test_a_generator_left_suspended_for_good_is_undone(graph):
    def generator():
        with graph.batch():
            graph["A"].set(100.0)
            yield

    running = generator()
    next(running)
    del running
    gc.collect()
    assert values(graph) == (1.0, 10.0, 11.0)
    assert_closed(graph)


def test_nested_generators_nest_their_scenarios(graph):
    def inner():
        with graph.scenario({"A": 100.0}):
            yield graph["D"].value
            yield graph["D"].value

    def outer():
        with graph.scenario({"B": 0.0}):
            yield graph["D"].value
            yield from inner()
            yield graph["D"].value

    seen = [(inside, graph["D"].value) for inside in outer()]
    assert seen == [(1.0, 11.0), (100.0, 11.0), (100.0, 11.0), (1.0, 11.0)]
    one, other = inner(), outer()
    assert [next(one), next(other), next(one), next(other)] == [110.0, 1.0, 110.0, 100.0]
    assert graph["D"].value == 11.0


def test_a_generator_that_calls_itself_shows_its_scenario_only_where_it_is_open(graph):
    def generator(depth):
        if depth:
            yield from generator(depth - 1)
        else:
            with graph.scenario({"A": 100.0}):
                yield graph["D"].value
        yield graph["D"].value

    assert list(generator(2)) == [110.0, 11.0, 11.0, 11.0]


def test_an_async_generator_shows_its_scenario_to_nobody(graph):
    async def generator():
        with graph.scenario({"A": 100.0}):
            yield graph["D"].value
            yield graph["D"].value

    async def main():
        running = generator()
        seen = [await anext(running), graph["D"].value, await anext(running)]
        await running.aclose()
        return [*seen, graph["D"].value]

    assert asyncio.run(main()) == [110.0, 11.0, 110.0, 11.0]


# --- context managers of users ----------------------------------------------------------------------


class ByHand:
    def __init__(self, manager):
        self.manager = manager

    def __enter__(self):
        return self.manager.__enter__()

    def __exit__(self, *error):
        return self.manager.__exit__(*error)


@contextlib.contextmanager
def by_generator(manager):
    with manager:
        yield


@contextlib.contextmanager
def by_stack(manager):
    with contextlib.ExitStack() as stack:
        stack.enter_context(by_generator(manager))
        yield


OPENERS = {"class": ByHand, "contextmanager": by_generator, "stack in a contextmanager": by_stack}


@pytest.mark.parametrize("kind", OPENERS)
def test_a_context_manager_opens_on_behalf_of_its_caller(graph, kind):
    opener = OPENERS[kind]
    with opener(graph.scenario({"A": 100.0})):
        assert graph["D"].value == 110.0
    with opener(graph.batch()):
        graph["A"].set(2.0)
        assert graph["D"].value == 12.0
    assert values(graph) == (2.0, 10.0, 12.0)
    with contextlib.suppress(ZeroDivisionError), opener(graph.batch()):
        graph["A"].set(3.0)
        _ = 1 / 0
    assert values(graph) == (2.0, 10.0, 12.0)
    assert_closed(graph)


@pytest.mark.parametrize("kind", OPENERS)
def test_a_context_manager_in_a_generator_leaks_nothing_to_the_generators_caller(graph, kind):
    def generator():
        with OPENERS[kind](graph.scenario({"A": 100.0})):
            yield graph["D"].value
            yield graph["D"].value

    running = generator()
    assert [next(running), graph["D"].value, next(running)] == [110.0, 11.0, 110.0]
    running.close()
    assert graph["D"].value == 11.0


def test_stacks_and_decorated_functions_open_for_their_caller(graph):
    with contextlib.ExitStack() as stack:
        stack.enter_context(graph.scenario({"A": 100.0}))
        stack.enter_context(by_generator(graph.scenario({"B": 0.0})))
        assert graph["D"].value == 100.0
    assert graph["D"].value == 11.0

    @contextlib.contextmanager
    def shocked():
        with graph.scenario({"A": 100.0}):
            yield

    @shocked()
    def decorated():
        return graph["D"].value

    assert [decorated(), decorated(), graph["D"].value] == [110.0, 110.0, 11.0]


def test_an_async_context_manager_opens_on_behalf_of_its_caller(graph):
    @contextlib.asynccontextmanager
    async def shocked():
        with graph.scenario({"A": 100.0}):
            yield

    @contextlib.asynccontextmanager
    async def together():
        with graph.batch():
            yield

    async def read():
        return graph["D"].value

    async def generator():
        async with shocked():
            yield graph["D"].value
            yield graph["D"].value

    async def main():
        seen = []
        async with shocked():
            seen += [graph["D"].value, await asyncio.create_task(read()), await read()]
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(shocked())
            stack.enter_context(graph.scenario({"B": 0.0}))
            seen.append(graph["D"].value)
        running = generator()
        seen += [await anext(running), graph["D"].value, await anext(running)]
        await running.aclose()
        with contextlib.suppress(ZeroDivisionError):
            async with together():
                graph["A"].set(50.0)
                seen += [graph["D"].value, await asyncio.create_task(read())]
                _ = 1 / 0
        return [*seen, graph["D"].value]

    assert asyncio.run(main()) == [110.0, 110.0, 110.0, 100.0, 110.0, 11.0, 110.0, 60.0, 11.0, 11.0]
    assert_closed(graph)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("kind", ["scenario", "batch"])
def test_one_object_entered_twice_is_refused_or_closed_twice(graph, kind, nested):
    block = graph.batch() if kind == "batch" else graph.scenario({"A": 100.0})
    with contextlib.suppress(BankError), block:
        if nested:
            with block:
                pass
    if not nested:
        with contextlib.suppress(BankError), block:
            pass
    assert values(graph) == (1.0, 10.0, 11.0)
    assert graph._engine.batches == []
    assert graph._engine.snapshots() == []


def test_blocks_left_in_another_order_leave_the_base(graph):
    first, second = graph.scenario({"A": 100.0}), graph.scenario({"B": 0.0})
    first.__enter__()
    second.__enter__()
    assert graph["D"].value == 100.0
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert graph["D"].value == 11.0
    assert graph._engine.snapshots() == []


# --- abandoned batches and scenarios ----------------------------------------------------------------


def die_in_a_batch(graph, held):
    batch = graph.batch()
    batch.__enter__()
    graph["A"].set(100.0)
    held.append(batch)


@pytest.mark.parametrize("holds", [False, True])
def test_a_thread_that_dies_in_a_batch_frees_it(graph, holds):
    held = []
    thread = threading.Thread(target=die_in_a_batch, args=(graph, held), daemon=True)
    thread.start()
    thread.join(5)
    if not holds:
        held.clear()
    in_thread(graph["B"].set, 20.0)
    assert values(graph) == (1.0, 20.0, 21.0)
    assert_closed(graph)


def test_what_a_thread_sets_is_not_part_of_a_dead_threads_batch_of_the_same_number(graph):
    held = []  # the operating system reuses the identifier of a thread that has ended
    in_thread(die_in_a_batch, graph, held)
    for b in (20.0, 30.0, 40.0):
        in_thread(graph["B"].set, b)
        assert graph._engine.batches == []
    graph["A"].set(2.0)
    assert values(graph) == (2.0, 40.0, 42.0)


def test_a_thread_that_was_not_started_by_threading_frees_its_batch_as_well(graph):
    held, over = [], _thread.allocate_lock()
    over.acquire()

    def run():
        try:
            die_in_a_batch(graph, held)
        finally:
            over.release()

    _thread.start_new_thread(run, ())
    assert over.acquire(timeout=5)
    try:
        in_thread(graph["B"].set, 20.0)
    finally:
        held.clear()  # should the test have failed: showing the graph would wait for the batch
    assert values(graph) == (1.0, 20.0, 21.0)


def test_a_graph_is_shown_while_another_thread_is_in_a_batch(graph):
    with graph.batch():
        graph["A"].set(100.0)
        assert "3 nodes" in in_thread(repr, graph)


def test_a_batch_dropped_without_its_end_is_undone(graph):
    batch = graph.batch()
    batch.__enter__()
    graph["A"].set(100.0)
    assert graph["D"].value == 110.0
    del batch
    gc.collect()
    graph["B"].set(20.0)
    assert values(graph) == (1.0, 20.0, 21.0)
    assert_closed(graph)


def test_a_batch_dropped_without_its_end_is_not_seen_by_readers_either(graph):
    batch = graph.batch()
    batch.__enter__()
    graph["A"].set(100.0)
    assert graph["D"].value == 110.0
    del batch
    gc.collect()
    assert values(graph) == (1.0, 10.0, 11.0)


def test_a_scenario_dropped_without_its_end_shows_nothing_and_holds_nothing(graph):
    for _ in range(50):
        scenario = graph.scenario({"A": 100.0})
        scenario.__enter__()
        assert graph["D"].value == 110.0
        del scenario
        gc.collect(0)
        assert graph["D"].value == 11.0
    assert graph._engine.snapshots() == []


# --- deadlocks -------------------------------------------------------------------------------------


def test_a_thread_on_behalf_of_an_open_batch_is_refused_rather_than_waiting_for_it(graph):
    async def main():
        with graph.batch():
            graph["A"].set(2.0)
            await asyncio.to_thread(graph["B"].set, 20.0)

    with pytest.raises(GraphError, match="on behalf of an open batch"):
        in_thread(lambda: caught(lambda: asyncio.run(main())))()
    assert_closed(graph)
    assert values(graph) == (1.0, 10.0, 11.0)


def caught(function):
    """Return the message of the error that the function raises."""
    try:
        function()
    except GraphError as error:
        raised = error

        def again():
            raise raised

        return again
    return lambda: None


def test_a_thread_that_was_given_a_context_may_wait_for_a_batch_opened_since(graph):
    context, opened, done = contextvars.copy_context(), threading.Event(), []
    thread = threading.Thread(target=lambda: (opened.wait(5), context.run(graph["B"].set, 20.0), done.append(True)))
    thread.start()
    with graph.batch():
        graph["A"].set(2.0)
        opened.set()
        assert not done
    thread.join(5)
    assert values(graph) == (2.0, 20.0, 22.0)


@pytest.mark.parametrize("threads", [2, 3])
def test_batches_that_wait_for_each_other_end_in_a_named_error(threads):
    graphs = [DependencyGraph() for _ in range(threads)]
    leaves = [each.register(Leaf("A", 1.0)) for each in graphs]
    everyone, refused = threading.Barrier(threads), []

    def work(i):
        with contextlib.suppress(GraphError), graphs[i].batch():
            everyone.wait(5)
            try:
                leaves[(i + 1) % threads].set(2.0)
            except GraphError as error:
                refused.append(str(error))
                raise

    running = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(5)
        assert not thread.is_alive(), "they wait for each other for ever"
    assert refused
    assert all("wait for each other" in message for message in refused)
    assert sum(leaf.value == 2.0 for leaf in leaves) == threads - len(refused)


def test_a_callback_set_off_inside_a_scenario_sees_the_graph_itself(graph):
    heard = []
    graph.subscribe("A", lambda node: heard.append((node.value, graph["D"].value)))
    with graph.scenario({"A": 100.0}):
        graph["A"].set(3.0)
        assert values(graph) == (100.0, 10.0, 110.0)
    assert heard == [(3.0, 13.0)]
