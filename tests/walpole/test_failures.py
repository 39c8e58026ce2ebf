import logging
import random
import threading

import pytest

from bank_python.errors import JobConfigError, JobError, JobTimeoutError, UnknownJobError
from bank_python.walpole import Backoff, JobConfig, JobRunner, JobState, RunOutcome

PATIENCE = 30.0


class Flaky:
    """A function that fails in its first `times` calls."""

    def __init__(self, times):
        self.left = times

    def __call__(self):
        if self.left:
            self.left -= 1
            raise ValueError(f"{self.left} left")
        return "well"


def test_retries_come_after_growing_waits(runner, step, clock):
    config = JobConfig(
        name="flaky", callable=Flaky(3), mode="one_shot", retries=3, backoff=Backoff(1, 2, 60), jitter=0.0
    )
    runner.add_job(config)
    runner.start()
    runner.wait_until_idle(PATIENCE)
    assert runner.status("flaky").state is JobState.RETRYING
    step(runner, 1.0)
    step(runner, 1.999)
    assert len(runner.history("flaky")) == 2
    step(runner, 0.001)
    step(runner, 4.0)
    runs = runner.history("flaky")
    assert [run.started.timestamp() - 1000 for run in runs] == pytest.approx([0, 1, 3, 7])
    assert [(run.attempt, run.outcome.name) for run in runs] == [
        (1, "FAILED"),
        (2, "FAILED"),
        (3, "FAILED"),
        (4, "SUCCEEDED"),
    ]
    status = runner.status("flaky")
    assert (status.state, status.runs, status.failures, status.retries) == (JobState.SUCCEEDED, 4, 3, 3)
    assert status.last_error == "ValueError: 0 left"


def test_when_retries_are_used_up_the_job_has_failed_and_the_schedule_goes_on(runner, step):
    runner.add_job(JobConfig(name="bad", callable=Flaky(2), interval=100, retries=1, backoff=1, jitter=0))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    step(runner, 1.0)
    assert runner.status("bad").state is JobState.FAILED
    step(runner, 99.0)
    assert [run.attempt for run in runner.history("bad")] == [1, 2, 1]
    assert runner.status("bad").state is JobState.SUCCEEDED


def test_jitter_is_drawn_from_the_given_generator(make_runner, step):
    runner = make_runner(rng=random.Random(42))
    runner.add_job(JobConfig(name="bad", callable=Flaky(9), mode="one_shot", retries=2, backoff=10, jitter=0.5))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    twin = random.Random(42)
    for base in (10, 20):
        wait = base * (1 + 0.5 * (2 * twin.random() - 1))
        assert 0.5 * base <= wait <= 1.5 * base
        finished = runner.history("bad")[-1].finished.timestamp()
        assert runner.status("bad").next_run.timestamp() == pytest.approx(finished + wait, abs=1e-5)
        step(runner, 1.5 * base)


def test_what_a_job_raises_stays_its_own(runner, step):
    def leave():
        raise SystemExit(3)

    runner.add_job(JobConfig(name="exit", callable=leave, interval=1))
    runner.add_job(JobConfig(name="fine", callable=lambda: None, interval=1))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    step(runner, 1.0)
    assert [run.error for run in runner.history("exit")] == ["SystemExit: 3"] * 2
    assert runner.status("fine").successes == 2


def test_a_traceback_and_a_result_are_kept(runner):
    def deep():
        return {}["missing"]

    runner.add_job(JobConfig(name="bad", callable=deep, mode="one_shot"))
    runner.add_job(JobConfig(name="big", callable=lambda: "x" * 10_000, mode="one_shot"))
    run = runner.run_once("bad")
    assert run.outcome is RunOutcome.FAILED
    assert 'return {}["missing"]' in run.traceback
    assert run.traceback.endswith("KeyError: 'missing'\n")
    assert len(runner.run_once("big").result) <= 500


def test_a_result_whose_repr_fails_does_not_fail_the_run(runner):
    class Rude:
        def __repr__(self):
            raise RuntimeError("no")

    runner.add_job(JobConfig(name="rude", callable=Rude, mode="one_shot"))
    assert runner.run_once("rude").outcome is RunOutcome.SUCCEEDED


def test_a_run_that_takes_too_long_is_given_up_and_its_late_result_discarded(make_runner, step):
    runner = make_runner(max_workers=1)
    release, cancelled = threading.Event(), []

    def slow(context):
        release.wait(PATIENCE)
        cancelled.append(context.cancelled)
        return "late"

    runner.add_job(JobConfig(name="slow", callable=slow, mode="one_shot", timeout=5.0))
    runner.add_job(JobConfig(name="next", callable=lambda: None, mode="one_shot", interval=None))
    runner.start()
    with pytest.raises(JobTimeoutError):
        runner.wait_for("next", timeout=0.05)
    clock = runner._scheduler.clock
    clock.advance(5.0)
    runner.wait_for("next", timeout=PATIENCE)  # the only worker is free again
    status = runner.status("slow")
    assert status.state is JobState.TIMED_OUT
    assert status.timeouts == 1
    release.set()
    assert runner.stop(PATIENCE)
    assert cancelled == [True]
    assert [(run.outcome.name, run.result) for run in runner.history("slow")] == [("TIMED_OUT", None)]


def test_a_timeout_is_retried_too(runner, step, clock):
    calls, entered = [], threading.Event()

    def slow_at_first(context):
        calls.append(context.attempt)
        entered.set()
        if context.attempt == 1:
            context.wait(1e6)

    runner.add_job(
        JobConfig(name="slow", callable=slow_at_first, mode="one_shot", timeout=5, retries=1, backoff=1, jitter=0)
    )
    runner.start()
    assert entered.wait(PATIENCE)
    clock.advance(5.0)
    runner.wait_until_idle(PATIENCE)
    step(runner, 1.0)
    assert calls == [1, 2]
    assert runner.status("slow").state is JobState.SUCCEEDED


def test_run_once_times_out_without_a_scheduler(runner, clock):
    entered = threading.Event()

    def slow(context):
        entered.set()
        context.wait(1e6)

    runner.add_job(JobConfig(name="slow", callable=slow, mode="one_shot", timeout=5))
    runs = []
    caller = threading.Thread(target=lambda: runs.append(runner.run_once("slow")))
    caller.start()
    assert entered.wait(PATIENCE)
    clock.advance(5.0)
    caller.join(PATIENCE)
    assert [run.outcome for run in runs] == [RunOutcome.TIMED_OUT]


def test_a_service_that_ends_by_itself_is_restarted_after_growing_waits(runner, clock):
    starts, ended, stable = [], threading.Semaphore(0), threading.Event()

    def service(context):
        starts.append(clock.now() - 1000)
        if len(starts) < 4:
            raise OSError("connection lost")
        stable.set()
        context.wait(1e9)

    runner.add_job(JobConfig(name="feed", callable=service, mode="service", backoff=1, jitter=0))
    runner.subscribe(lambda _: ended.release())
    runner.start()
    for seconds in (1, 2, 4):
        assert ended.acquire(timeout=PATIENCE)
        clock.advance(seconds)
    assert stable.wait(PATIENCE)
    assert starts == [0, 1, 3, 7]
    assert runner.status("feed").state is JobState.RUNNING
    assert runner.stop(PATIENCE)
    assert runner.status("feed").state is JobState.STOPPED
    assert starts == [0, 1, 3, 7]


def test_a_service_that_returns_without_being_stopped_has_failed(runner):
    ended = threading.Event()
    runner.add_job(JobConfig(name="feed", callable=lambda: None, mode="service"))
    runner.subscribe(lambda _: ended.set())
    runner.start()
    assert ended.wait(PATIENCE)
    assert runner.status("feed").state is JobState.RETRYING
    assert "was not stopped" in runner.status("feed").last_error


def test_a_service_ends_when_paused_and_starts_when_resumed(runner):
    started = threading.Semaphore(0)

    def service(context):
        started.release()
        context.wait(1e9)

    runner.add_job(JobConfig(name="feed", callable=service, mode="service"))
    runner.start()
    assert started.acquire(timeout=PATIENCE)
    runner.pause("feed")
    runner.wait_for("feed", timeout=PATIENCE)
    assert runner.status("feed").state is JobState.PAUSED
    runner.resume("feed")
    assert started.acquire(timeout=PATIENCE)
    runner.pause("feed")
    runner.resume("feed")  # possibly before its cancelled run has ended
    assert started.acquire(timeout=PATIENCE)


def test_a_subscriber_is_called_for_each_run_and_may_fail(runner, step, caplog):
    heard = []

    def broken(run):
        raise RuntimeError("subscriber")

    runner.subscribe(broken)
    stop_hearing = runner.subscribe(heard.append)
    runner.add_job(JobConfig(name="tick", callable=lambda: None, interval=1))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    step(runner, 1.0)
    stop_hearing()
    step(runner, 1.0)
    assert [run.number for run in heard] == [1, 2]
    assert tuple(heard) == runner.history("tick")[:2]
    assert "subscriber" in caplog.text


def test_what_a_job_logs_is_kept_and_still_reaches_other_handlers(runner, caplog):
    log = logging.getLogger("pricing")

    def noisy(context):
        log.warning("vol of %s is %.1f", "AAPL", 0.3)
        log.debug("not enabled")
        context.logger.info("kept though the application logs warnings only")
        other = threading.Thread(target=lambda: log.warning("from elsewhere"))
        other.start()
        other.join()
        log.error("bad format %d", "x")

    runner.add_job(JobConfig(name="noisy", callable=noisy, mode="one_shot"))
    factory = logging.getLogRecordFactory()
    handlers = list(logging.getLogger().handlers)
    with caplog.at_level(logging.WARNING):
        logging.raiseExceptions, before = False, logging.raiseExceptions
        try:
            run = runner.run_once("noisy")
        finally:
            logging.raiseExceptions = before
    lines = run.log.splitlines()
    assert lines[0] == "WARNING pricing: vol of AAPL is 0.3"
    assert lines[1] == "INFO bank_python.walpole.jobs.noisy: kept though the application logs warnings only"
    assert lines[2].startswith("ERROR pricing: 'bad format %d'")
    assert len(lines) == 3
    assert "vol of AAPL" in caplog.text
    assert "kept though" not in caplog.text
    assert logging.getLogRecordFactory() is factory
    assert logging.getLogger().handlers == handlers


def test_logs_of_runs_side_by_side_are_kept_apart(make_runner):
    runner = make_runner(max_workers=4)
    together = threading.Barrier(4)

    def job(number):
        for _ in range(20):
            together.wait(PATIENCE)
            logging.getLogger("shared").warning("from %d", number)

    for n in range(4):
        runner.add_job(JobConfig(name=f"j{n}", callable=job, args=(n,), mode="one_shot"))
    with runner:
        runner.wait_until_idle(PATIENCE)
    for n in range(4):
        assert runner.history(f"j{n}")[0].log.splitlines() == [f"WARNING shared: from {n}"] * 20


def test_a_long_log_keeps_its_end(runner):
    def chatty(context):
        for n in range(1000):
            context.logger.debug("%d", n)

    runner.add_job(JobConfig(name="chatty", callable=chatty, mode="one_shot"))
    lines = runner.run_once("chatty").log.splitlines()
    assert lines[0] == "… 500 earlier lines dropped"
    assert len(lines) == 501
    assert lines[-1].endswith(": 999")


@pytest.mark.parametrize(
    "call",
    [
        lambda runner: runner.status("fetsh"),
        lambda runner: runner.history("fetsh"),
        lambda runner: runner.trigger("fetsh"),
        lambda runner: runner.run_once("fetsh"),
        lambda runner: runner.pause("fetsh"),
        lambda runner: runner.resume("fetsh"),
        lambda runner: runner.remove_job("fetsh"),
        lambda runner: runner.wait_for("fetsh", timeout=0),
    ],
)
def test_an_unknown_name_is_answered_with_close_ones(runner, call):
    runner.add_job(JobConfig(name="fetch", callable=print, interval=1))
    with pytest.raises(UnknownJobError, match="did you mean 'fetch'") as caught:
        call(runner)
    assert isinstance(caught.value, KeyError)
    assert caught.value.matches == ("fetch",)


def test_a_second_job_of_a_name_and_what_is_no_config_are_refused(runner):
    runner.add_job(JobConfig(name="fetch", callable=print, interval=1))
    with pytest.raises(JobConfigError, match="already has a job 'fetch'"):
        runner.add_job(JobConfig(name="fetch", callable=print, interval=2))
    with pytest.raises(JobConfigError, match="give a JobConfig"):
        runner.add_job({"name": "x"})
    assert runner.jobs == ("fetch",)


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, "4"])
def test_a_pool_without_workers_is_refused(workers):
    with pytest.raises(JobError, match="max_workers"):
        JobRunner(max_workers=workers)


def test_trigger_needs_a_running_runner_and_run_once_no_service(runner):
    runner.add_job(JobConfig(name="fetch", callable=lambda: None, interval=1))
    runner.add_job(JobConfig(name="feed", callable=lambda: None, mode="service"))
    with pytest.raises(JobError, match=r"call start\(\) first"):
        runner.trigger("fetch")
    with pytest.raises(JobError, match="service"):
        runner.run_once("feed")


class UnspeakableError(Exception):
    """An object whose repr raises."""

    def __str__(self):
        raise AttributeError("no response")


def test_an_error_that_cannot_be_printed_is_a_failed_run_and_frees_its_worker():
    def job():
        raise UnspeakableError

    with JobRunner(max_workers=1) as runner:
        runner.add_job(JobConfig(name="bad", callable=job))
        runner.add_job(JobConfig(name="good", callable=lambda: "well"))
        assert runner.wait_for("good", timeout=PATIENCE).state is JobState.SUCCEEDED
        status = runner.wait_for("bad", timeout=PATIENCE)
    assert status.state is JobState.FAILED
    assert status.last_error.startswith("UnspeakableError: UnspeakableError without a message")


@pytest.mark.parametrize("raised", [SystemExit(1), GeneratorExit(), ValueError("lost")])
def test_a_subscriber_that_raises_anything_stops_no_job(raised):
    def subscriber(run):
        raise raised

    with JobRunner(max_workers=1) as runner:
        runner.subscribe(subscriber)
        for name in ("one", "two"):
            runner.add_job(JobConfig(name=name, callable=print))
        for name in ("one", "two"):
            assert runner.wait_for(name, timeout=PATIENCE).state is JobState.SUCCEEDED


@pytest.mark.parametrize("arguments", [("v %(x)s", {"y": 1}), ("v %s", UnspeakableError()), ("%d", "three")])
def test_a_log_record_that_cannot_be_written_does_not_fail_the_run(runner, monkeypatch, arguments):
    monkeypatch.setattr(logging, "raiseExceptions", False)

    def job():
        logging.getLogger("a").warning(*arguments)
        return "done"

    runner.add_job(JobConfig(name="logs", callable=job))
    run = runner.run_once("logs")
    assert (run.outcome, run.result) == (RunOutcome.SUCCEEDED, "'done'")
    assert "WARNING a:" in run.log
