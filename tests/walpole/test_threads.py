import contextvars
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from bank_python.errors import JobError
from bank_python.walpole import JobConfig, JobRunner, JobState, RunOutcome

PATIENCE = 30.0


def walpole_threads():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("walpole")]


class Gate:
    """A job that counts its simultaneous runs, and blocks them until it is opened."""

    def __init__(self):
        self.lock, self.inside, self.most = threading.Lock(), 0, 0
        self.entered, self.release = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.entered.release()
        assert self.release.acquire(timeout=PATIENCE)
        with self.lock:
            self.inside -= 1


def test_a_run_does_not_start_while_the_one_before_goes_on(runner, clock, step):
    gate = Gate()
    runner.add_job(JobConfig(name="slow", callable=gate, interval=1))
    runner.start()
    assert gate.entered.acquire(timeout=PATIENCE)
    clock.advance(3.5)
    runner.trigger("slow")
    runner.trigger("slow")  # two triggers in between count as one
    gate.release.release(10)
    runner.wait_until_idle(PATIENCE)
    assert gate.most == 1
    # The first run, the triggered one, and one for all missed due times.
    assert len(runner.history("slow")) == 3


def test_overlap_when_it_is_allowed(runner, clock):
    gate = Gate()
    runner.add_job(JobConfig(name="slow", callable=gate, interval=1, allow_overlap=True))
    runner.start()
    assert gate.entered.acquire(timeout=PATIENCE)
    clock.advance(1.0)
    assert gate.entered.acquire(timeout=PATIENCE)
    assert runner.status("slow").running == 2
    gate.release.release(2)
    runner.wait_until_idle(PATIENCE)
    assert gate.most == 2


def test_no_more_runs_at_once_than_workers(make_runner):
    runner, gate = make_runner(max_workers=3), Gate()
    for n in range(10):
        runner.add_job(JobConfig(name=f"j{n}", callable=gate, mode="one_shot"))
    runner.start()
    for _ in range(3):
        assert gate.entered.acquire(timeout=PATIENCE)
    states = [runner.status(name).state for name in runner.jobs]
    assert states.count(JobState.RUNNING) == 3
    assert states.count(JobState.QUEUED) == 7
    gate.release.release(10)
    runner.wait_until_idle(PATIENCE)
    assert gate.most == 3
    assert all(runner.status(name).successes == 1 for name in runner.jobs)


def test_services_take_no_workers(make_runner):
    runner = make_runner(max_workers=1)
    for n in range(3):
        runner.add_job(JobConfig(name=f"s{n}", callable=lambda context: context.wait(1e9), mode="service"))
    runner.add_job(JobConfig(name="work", callable=lambda: None, mode="one_shot"))
    runner.start()
    runner.wait_for("work", timeout=PATIENCE)
    assert sum(runner.status(f"s{n}").state is JobState.RUNNING for n in range(3)) == 3


def test_run_once_refuses_to_overlap(runner):
    gate = Gate()
    runner.add_job(JobConfig(name="slow", callable=gate, mode="one_shot"))
    runner.start()
    assert gate.entered.acquire(timeout=PATIENCE)
    with pytest.raises(JobError, match="is running"):
        runner.run_once("slow")
    gate.release.release()
    runner.wait_until_idle(PATIENCE)


def test_stop_waits_for_runs_and_leaves_no_thread(runner):
    gate = Gate()
    runner.add_job(JobConfig(name="slow", callable=gate, mode="one_shot"))
    runner.add_job(JobConfig(name="after", callable=lambda: None, mode="one_shot", depends_on=["slow"]))
    runner.add_job(JobConfig(name="feed", callable=lambda context: context.wait(1e9), mode="service"))
    runner.start()
    assert gate.entered.acquire(timeout=PATIENCE)
    stopped = []
    stopper = threading.Thread(target=lambda: stopped.append(runner.stop(PATIENCE)))
    stopper.start()
    runner.wait_for("feed", timeout=PATIENCE)  # the service is cancelled immediately
    assert not stopped
    gate.release.release()
    stopper.join(PATIENCE)
    assert stopped == [True]
    assert walpole_threads() == []
    assert runner.status("slow").state is JobState.SUCCEEDED
    assert runner.status("feed").state is JobState.STOPPED
    assert runner.history("after") == ()  # no run starts while stopping
    assert runner.stop(PATIENCE)  # again: nothing to do


def test_two_threads_may_stop_one_runner(runner):
    runner.add_job(JobConfig(name="feed", callable=lambda context: context.wait(1e9), mode="service"))
    runner.start()
    ended = []
    stoppers = [threading.Thread(target=lambda: ended.append(runner.stop(PATIENCE))) for _ in range(4)]
    for stopper in stoppers:
        stopper.start()
    for stopper in stoppers:
        stopper.join(PATIENCE)
    assert ended == [True] * 4
    assert walpole_threads() == []


def test_a_run_that_outlasts_stop_is_cancelled(runner):
    entered = threading.Event()

    def stubborn(context):
        entered.set()
        context.wait(1e9)
        return "left"

    runner.add_job(JobConfig(name="long", callable=stubborn, mode="one_shot"))
    runner.start()
    assert entered.wait(PATIENCE)
    assert runner.stop(timeout=0.0)
    assert runner.history("long")[-1].result == "'left'"
    assert walpole_threads() == []


def test_a_stuck_run_is_abandoned_by_stop_and_said_so(runner):
    gate = Gate()
    runner.add_job(JobConfig(name="stuck", callable=gate, mode="one_shot"))
    runner.start()
    assert gate.entered.acquire(timeout=PATIENCE)
    stuck = [thread for thread in threading.enumerate() if thread.name.startswith("walpole-")]
    assert not runner.stop(timeout=0.0)
    run = runner.history("stuck")[-1]
    assert run.outcome is RunOutcome.STOPPED
    assert "abandoned" in run.error
    gate.release.release()
    for thread in stuck:
        thread.join(PATIENCE)
    assert runner.history("stuck") == (run,)


def test_a_stopped_runner_can_start_again(runner, step):
    runner.add_job(JobConfig(name="tick", callable=lambda: None, interval=10))
    for _ in range(2):
        with runner:
            runner.wait_until_idle(PATIENCE)
            step(runner, 10.0)
    assert [run.due.timestamp() for run in runner.history("tick")] == [1000, 1010, 1020]


def test_a_job_cannot_stop_its_own_runner(runner):
    runner.add_job(JobConfig(name="suicide", callable=runner.stop, mode="one_shot"))
    runner.start()
    runner.wait_for("suicide", timeout=PATIENCE)
    assert "cannot stop its own runner" in runner.status("suicide").last_error


def test_a_job_may_ask_trigger_add_and_pause(runner):
    def busy():
        runner.add_job(JobConfig(name="child", callable=lambda: None, mode="one_shot"))
        runner.pause("other")
        runner.resume("other")
        runner.trigger("other")
        return runner.status("busy").state.name

    runner.add_job(JobConfig(name="other", callable=lambda: None, mode="one_shot", enabled=False))
    runner.add_job(JobConfig(name="busy", callable=busy, mode="one_shot"))
    runner.start()
    for name in ("busy", "other"):
        runner.wait_for(name, timeout=PATIENCE)
    runner.wait_for("child", timeout=PATIENCE)
    assert runner.history("busy")[0].result == "'RUNNING'"


def test_a_removed_job_is_cancelled_and_leaves_nothing(runner):
    entered = threading.Event()

    def service(context):
        entered.set()
        context.wait(1e9)

    runner.add_job(JobConfig(name="feed", callable=service, mode="service"))
    runner.start()
    assert entered.wait(PATIENCE)
    runner.remove_job("feed")
    assert runner.jobs == ()
    assert runner.stop(PATIENCE)
    assert walpole_threads() == []


def test_context_variables_do_not_leak_from_run_to_run(make_runner):
    variable = contextvars.ContextVar("layer", default="base")

    def job():
        seen = variable.get()
        variable.set("left behind")
        return seen

    runner = make_runner(max_workers=1)
    for n in range(3):
        runner.add_job(JobConfig(name=f"j{n}", callable=job, mode="one_shot"))
    variable.set("the caller's own")
    with runner:
        runner.wait_until_idle(PATIENCE)
    assert [runner.history(name)[0].result for name in runner.jobs] == ["'base'"] * 3


def test_with_the_system_clock():
    with JobRunner() as runner:
        runner.add_job(JobConfig(name="fast", callable=lambda: None, interval=0.01))
        runner.add_job(JobConfig(name="after", callable=lambda: None, interval=0.01, depends_on=["fast"]))
        assert runner.wait_for("fast", runs=5, timeout=PATIENCE).successes >= 5
        runner.wait_for("after", runs=3, timeout=PATIENCE)
    assert walpole_threads() == []


PROGRAM = """
import sys, threading
from bank_python.walpole import JobConfig, JobRunner
runner = JobRunner()
def hang():
    print("in", flush=True)
    threading.Event().wait()
runner.add_job(JobConfig(name="stuck", callable=hang, mode="one_shot"))
runner.start()
if sys.argv[1] == "wait":
    try:
        runner.wait_for("stuck")
    except KeyboardInterrupt:
        print("interrupted", flush=True)
else:
    while runner.status("stuck").running == 0:
        pass
"""


def test_a_stuck_job_does_not_keep_the_interpreter_from_exiting():
    done = subprocess.run([sys.executable, "-c", PROGRAM, "leave"], timeout=60, capture_output=True, check=False)
    assert done.returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_a_wait():
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, "wait"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "in\n"
        time.sleep(0.2)  # a real process: let its main thread get into the wait
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == "interrupted\n"
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
