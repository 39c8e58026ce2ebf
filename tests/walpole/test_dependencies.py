import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import JobConfigError, JobError
from bank_python.walpole import JobConfig, JobRunner, JobState, ManualClock
from bank_python.walpole.scheduler import Scheduler

PATIENCE = 30.0


def one_shot(name, function=lambda: None, **more):
    return JobConfig(name=name, callable=function, mode="one_shot", **more)


def test_a_dependent_runs_after_its_dependency(runner, step):
    order = []
    runner.add_job(JobConfig(name="revalue", callable=lambda: order.append("B"), interval=10, depends_on=["fetch"]))
    runner.add_job(JobConfig(name="fetch", callable=lambda: order.append("A"), interval=5))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    assert order == ["A", "B"]
    step(runner, 5.0)
    assert order == ["A", "B", "A"]
    step(runner, 5.0)
    assert sorted(order[3:]) == ["A", "B"]


def test_a_faster_dependent_waits_for_a_new_success(runner, step):
    order = []
    runner.add_job(JobConfig(name="slow", callable=lambda: order.append("slow"), interval=10))
    runner.add_job(JobConfig(name="fast", callable=lambda: order.append("fast"), interval=2, depends_on=["slow"]))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    step(runner, 2.0, times=4)
    assert order == ["slow", "fast"]
    status = runner.status("fast")
    assert status.state is JobState.HELD
    assert "'slow' has not succeeded since" in status.reason
    step(runner, 2.0)
    assert order == ["slow", "fast", "slow", "fast"]


def test_a_failed_dependency_holds_the_dependent_and_says_why(runner, step):
    broken = [True]

    def fetch():
        if broken[0]:
            raise OSError("feed down")

    runner.add_job(JobConfig(name="fetch", callable=fetch, interval=5))
    runner.add_job(JobConfig(name="revalue", callable=lambda: None, interval=5, depends_on=["fetch"]))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    status = runner.status("revalue")
    assert status.state is JobState.HELD
    assert "'fetch'" in status.reason
    assert "OSError: feed down" in status.reason
    broken[0] = False
    step(runner, 5.0)
    assert runner.status("revalue").successes == 1


def test_a_one_shot_dependency_is_met_for_good(runner, step):
    runner.add_job(one_shot("load"))
    runner.add_job(JobConfig(name="tick", callable=lambda: None, interval=1, depends_on=["load"]))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    step(runner, 1.0, times=3)
    assert runner.status("tick").successes == 4


def test_a_service_dependency_is_met_while_it_runs(runner, step):
    runner.add_job(JobConfig(name="feed", callable=lambda context: context.wait(1e9), mode="service"))
    runner.add_job(JobConfig(name="tick", callable=lambda: None, interval=1, depends_on=["feed"]))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    assert runner.status("tick").successes == 1
    runner.pause("feed")
    runner.wait_for("feed", timeout=PATIENCE)
    step(runner, 1.0)
    assert runner.status("tick").reason == "service 'feed' is not running"


def test_a_paused_dependency_is_named_as_such(runner):
    runner.add_job(one_shot("load"))
    runner.add_job(one_shot("use", depends_on=["load"]))
    runner.pause("load")
    runner.start()
    runner.wait_until_idle(PATIENCE)
    assert runner.status("use").reason == "'load' has not run yet and is paused"


def test_a_cycle_is_refused_when_added_with_its_path(runner):
    runner.add_job(one_shot("a", depends_on=["b"]))
    runner.add_job(one_shot("b", depends_on=["c", "d"]))
    with pytest.raises(JobConfigError, match="c → a → b → c") as caught:
        runner.add_job(one_shot("c", depends_on=["a"]))
    assert caught.value.path == ["c", "a", "b", "c"]
    assert runner.jobs == ("a", "b")


def test_an_unknown_dependency_is_refused_at_start(runner):
    runner.add_job(one_shot("a", depends_on=["ghost"]))
    with pytest.raises(JobConfigError, match="a → ghost"):
        runner.start()
    assert not runner.running
    runner.add_job(one_shot("ghost"))
    runner.start()
    runner.wait_for("a", timeout=PATIENCE)
    with pytest.raises(JobConfigError, match="late → nobody"):
        runner.add_job(one_shot("late", depends_on=["nobody"]))
    assert runner.jobs == ("a", "ghost")


@pytest.fixture
def runner_of_one_slow_worker(make_runner, monkeypatch):
    """A runner whose one worker, after each run, is free only when someone has asked whether the runner is idle."""
    run, is_idle, asked = Scheduler._run, Scheduler.is_idle, threading.Event()

    def run_and_wait(self, *args):
        run(self, *args)
        asked.clear()
        with self.condition:
            self.condition.notify_all()
        assert asked.wait(PATIENCE)

    def answer(self):
        asked.set()
        return is_idle(self)

    monkeypatch.setattr(Scheduler, "_run", run_and_wait)
    monkeypatch.setattr(Scheduler, "is_idle", answer)
    return make_runner(max_workers=1)


def test_a_job_others_need_is_not_removed(runner):
    runner.add_job(one_shot("a"))
    runner.add_job(one_shot("b", depends_on=["a"]))
    with pytest.raises(JobError, match="b depend on it"):
        runner.remove_job("a")
    runner.remove_job("b")
    runner.remove_job("a")
    assert runner.jobs == ()


def test_idle_waits_for_a_job_whose_worker_is_not_free_yet(runner_of_one_slow_worker):
    ran = []
    runner_of_one_slow_worker.add_job(one_shot("first", ran.append, args=("first",)))
    runner_of_one_slow_worker.add_job(one_shot("second", ran.append, args=("second",), depends_on=["first"]))
    runner_of_one_slow_worker.start()
    runner_of_one_slow_worker.wait_until_idle(PATIENCE)
    assert ran == ["first", "second"]


@st.composite
def dags(draw):
    count = draw(st.integers(1, 9))
    edges = {n: draw(st.sets(st.integers(0, n - 1))) if n else set() for n in range(count)}
    failing = draw(st.sets(st.integers(0, count - 1), max_size=2))
    return edges, failing, draw(st.permutations(range(count))), draw(st.integers(1, 3))


@settings(max_examples=40, deadline=None)
@given(dags())
def test_a_random_dag_runs_in_a_valid_order_and_nothing_runs_below_a_failure(dag):
    edges, failing, added, workers = dag
    done, lock = [], threading.Lock()

    def job(number):
        with lock:
            assert edges[number] <= set(done)
            if number in failing:
                raise RuntimeError("on purpose")
            done.append(number)

    reachable = set()
    for n in edges:  # numbers are a topological order
        if n not in failing and edges[n] <= reachable:
            reachable.add(n)
    runner = JobRunner(clock=ManualClock(), max_workers=workers)
    for n in added:
        runner.add_job(one_shot(f"j{n}", job, args=(n,), depends_on=[f"j{d}" for d in edges[n]]))
    with runner:
        runner.wait_until_idle(PATIENCE)
        assert sorted(done) == sorted(reachable)
        held = {n for n in edges if runner.status(f"j{n}").state is JobState.HELD}
        failed = {n for n in edges if runner.status(f"j{n}").state is JobState.FAILED}
    assert held | failed | reachable == set(edges)
    assert failed <= failing
