import json
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest

from bank_python.barbara import BarbaraDB
from bank_python.errors import JobError
from bank_python.walpole import JobConfig, JobRunner, JobState, ManualClock, MisfirePolicy, RunOutcome

PATIENCE = 30.0


def tick(**changes):
    return JobConfig(**({"name": "tick", "callable": lambda: "ok", "interval": 10.0} | changes))


def run_until(store, start, end, *configs, seconds=10.0):
    """Simulate a process on the manual clock; return its runner, stopped."""
    clock = ManualClock(start)
    runner = JobRunner(barbara=store, clock=clock)
    for config in configs:
        runner.add_job(config)
    with runner:
        runner.wait_until_idle(PATIENCE)
        while clock.now() < end:
            clock.advance(seconds)
            runner.wait_until_idle(PATIENCE)
    return runner


def dues(runner, name="tick"):
    return [run.due.timestamp() for run in runner.history(name)]


def test_state_and_runs_are_plain_records_under_the_jobs_keys(store):
    run_until(store, 0, 20, tick())
    assert sorted(store) == ["/Jobs/tick/runs/1", "/Jobs/tick/runs/2", "/Jobs/tick/runs/3", "/Jobs/tick/state"]
    state = store.get("/Jobs/tick/state")
    assert (state["version"], state["state"], state["next_due"], state["running"]) == (1, "succeeded", 30.0, [])
    run = store.get("/Jobs/tick/runs/2")
    assert (run["number"], run["outcome"], run["started"], run["result"]) == (2, "succeeded", 10.0, "'ok'")


def test_a_new_runner_goes_on_where_the_last_one_stopped(store):
    first = run_until(store, 0, 20, tick())
    second = run_until(store, 25, 35, tick(), seconds=5.0)
    assert dues(second) == [0, 10, 20, 30]
    assert second.history("tick")[:3] == first.history("tick")
    status = second.status("tick")
    assert (status.runs, status.successes, status.misfires) == (4, 4, 0)
    assert status.last_success == datetime.fromtimestamp(30, UTC)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (MisfirePolicy.SKIP, [0, 10, 60]),
        (MisfirePolicy.RUN_ONCE, [0, 10, 20, 60]),
        (MisfirePolicy.RUN_ALL, [0, 10, 20, 30, 40, 50, 60]),
    ],
)
def test_what_was_missed_while_down_follows_the_policy(store, policy, expected):
    run_until(store, 0, 10, tick(misfire=policy))
    assert dues(run_until(store, 55, 60, tick(misfire=policy), seconds=5.0)) == expected


def test_another_schedule_begins_afresh(store):
    run_until(store, 0, 10, tick())
    assert dues(run_until(store, 500, 500, tick(interval=7.0))) == [0, 10, 500]


def test_a_cron_time_missed_while_down_is_made_up_once(store):
    daily = JobConfig(name="tick", callable=lambda: None, mode="cron", cron="0 0 * * *")
    run_until(store, 1000, 86_400 + 50, daily, seconds=86_400 - 1000)
    later = run_until(store, 4 * 86_400 + 5, 4 * 86_400 + 5, daily)
    assert dues(later) == [86_400, 2 * 86_400]  # one run for three days, with the first due time
    assert later.status("tick").misfires == 1
    assert later.status("tick").next_run == datetime(1970, 1, 6, tzinfo=UTC)


def test_a_one_shot_that_succeeded_is_not_run_again_and_one_that_failed_is(store):
    def fail():
        raise OSError("down")

    def configs(function):
        return [
            JobConfig(name="good", callable=lambda: None, mode="one_shot"),
            JobConfig(name="bad", callable=function, mode="one_shot"),
        ]

    run_until(store, 0, 0, *configs(fail))
    second = run_until(store, 9, 9, *configs(lambda: "at last"))
    assert dues(second, "good") == [0]
    assert [run.outcome.name for run in second.history("bad")] == ["FAILED", "SUCCEEDED"]
    third = run_until(store, 99, 99, *configs(fail))
    assert len(third.history("bad")) == 2
    assert third.status("good").state is JobState.SUCCEEDED


def test_max_runs_and_pauses_are_kept(store):
    run_until(store, 0, 10, tick(max_runs=3))
    assert len(run_until(store, 20, 90, tick(max_runs=3)).history("tick")) == 3
    runner = JobRunner(barbara=store, clock=ManualClock(100))
    runner.add_job(tick(interval=5.0))
    runner.pause("tick")
    paused = run_until(store, 100, 200, tick(interval=5.0))
    assert paused.status("tick").state is JobState.PAUSED
    assert len(paused.history("tick")) == 3


def test_a_retry_still_to_come_comes_after_a_restart(store):
    outcomes = iter([OSError("down")])

    def flaky():
        error = next(outcomes, None)
        if error:
            raise error

    config = JobConfig(name="tick", callable=flaky, mode="one_shot", retries=2, backoff=50, jitter=0)
    run_until(store, 0, 0, config)
    second = run_until(store, 40, 50, config)
    assert [(run.attempt, run.started.timestamp()) for run in second.history("tick")] == [(1, 0), (2, 50)]


def test_success_since_the_dependents_last_start_is_known_over_a_restart(store):
    configs = [tick(), tick(name="after", depends_on=["tick"], interval=1000.0)]
    run_until(store, 0, 990, *configs)
    second = run_until(store, 1000, 1000, *configs)
    assert second.status("after").successes == 2


def test_history_is_bounded_in_memory_and_in_the_store(store):
    runner = run_until(store, 0, 1300, tick())
    assert [run.number for run in runner.history("tick")] == list(range(32, 132))
    assert sum("/runs/" in key for key in store) == 100
    again = JobRunner(barbara=store, clock=ManualClock(1301))
    again.add_job(tick())
    assert again.history("tick") == runner.history("tick")
    assert again.status("tick").runs == 131


@pytest.mark.parametrize("damage", [{"version": 2}, {"last_number": "x"}, {"counts": 3}, {"retries": [{}]}, "text"])
def test_a_state_that_cannot_be_read_is_refused_with_its_key(store, damage):
    run_until(store, 0, 0, tick())
    store["/Jobs/tick/state"] = damage if isinstance(damage, str) else store.get("/Jobs/tick/state") | damage
    runner = JobRunner(barbara=store, clock=ManualClock())
    with pytest.raises(JobError, match="/Jobs/tick/state"):
        runner.add_job(tick())
    assert runner.jobs == ()


def test_a_store_that_fails_does_not_stop_the_jobs(caplog):
    class Broken(dict):
        def __setitem__(self, key, value):
            raise OSError("disk full")

    runner = run_until(Broken(), 0, 20, tick())
    assert runner.status("tick").successes == 3
    assert isinstance(runner.store_error, OSError)
    assert "could not be stored" in caplog.text


def test_a_run_is_stored_as_running_before_its_callable_begins(store):
    seen = []
    run_until(store, 0, 0, tick(callable=lambda: seen.append(store.get("/Jobs/tick/state"))))
    assert seen[0]["state"] == "running"
    assert [run["number"] for run in seen[0]["running"]] == [1]


def test_the_store_is_written_without_the_runners_lock(store):
    """A job in a transaction of the store may call the runner while another run is being stored."""
    gate = threading.Lock()

    class Locked(type(store)):
        def __setitem__(self, key, value):
            assert gate.acquire(timeout=PATIENCE)
            try:
                super().__setitem__(key, value)
            finally:
                gate.release()

    runner = JobRunner(barbara=Locked(), clock=ManualClock())

    def transaction():
        with gate:
            runner.trigger("other")
            runner.pause("other")
            return runner.status("other").state.name

    runner.add_job(tick(name="other"))
    runner.add_job(tick(name="job", callable=transaction))
    with runner:
        runner.wait_until_idle(PATIENCE)
    assert runner.status("job").successes == 1


# --- a process that is killed ------------------------------------------------------------------------

PROGRAM = """
import os, sys, threading
from bank_python.barbara import BarbaraDB
from bank_python.walpole import JobConfig, JobRunner, ManualClock

def hang(name):
    os.write(1, f"{name}\\n".encode())  # one write, whole lines
    threading.Event().wait()

runner = JobRunner(barbara=BarbaraDB.open("jobs", path=sys.argv[1]), clock=ManualClock(1000.0))
runner.add_job(JobConfig(name="done", callable=lambda: None, mode="one_shot"))
runner.add_job(JobConfig(name="load", callable=hang, args=("load",), mode="one_shot", depends_on=["done"]))
after = {"callable": hang, "interval": 100, "depends_on": ["done"]}
runner.add_job(JobConfig(name="retried", args=("retried",), retries=1, **after))
runner.add_job(JobConfig(name="plain", args=("plain",), **after))
runner.start()
threading.Event().wait()
"""


def test_a_killed_process_leaves_interrupted_runs_that_the_next_one_takes_up(tmp_path):
    path = tmp_path / "jobs.db"
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        inside = {process.stdout.readline().strip() for _ in range(3)}
        assert inside == {"load", "retried", "plain"}
        process.kill()
        assert process.wait(60) == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    with BarbaraDB.open("jobs", path=path) as db:
        configs = [JobConfig(name="done", callable=lambda: None, mode="one_shot")]
        configs.append(JobConfig(name="load", callable=lambda: None, mode="one_shot", depends_on=["done"]))
        configs.append(tick(name="retried", interval=100, retries=1, depends_on=["done"]))
        configs.append(tick(name="plain", interval=100, depends_on=["done"]))
        runner = run_until(db, 1050.0, 1050.0, *configs)
        outcomes = {name: [(r.attempt, r.outcome) for r in runner.history(name)] for name in runner.jobs}
        stored = json.loads(json.dumps(db["/Jobs/load/runs/1"]))
    assert outcomes == {
        "done": [(1, RunOutcome.SUCCEEDED)],
        "load": [(1, RunOutcome.INTERRUPTED), (1, RunOutcome.SUCCEEDED)],
        "retried": [(1, RunOutcome.INTERRUPTED), (2, RunOutcome.SUCCEEDED)],
        "plain": [(1, RunOutcome.INTERRUPTED)],  # due again at 1100
    }
    assert runner.status("plain").next_run.timestamp() == 1100.0
    assert stored["outcome"] == "interrupted"
    assert stored["error"] == "the process ended during the run"


def test_with_a_real_barbara(tmp_path):
    with BarbaraDB.open("jobs", path=tmp_path / "jobs.db") as db:
        run_until(db, 0, 20, tick())
    with BarbaraDB.open("jobs", path=tmp_path / "jobs.db") as db:
        assert dues(run_until(db, 25, 35, tick(), seconds=5.0)) == [0, 10, 20, 30]
        assert "/Jobs/tick/state" in list(db.keys("/Jobs/"))
