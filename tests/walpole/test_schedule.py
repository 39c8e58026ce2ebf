from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.walpole import JobConfig, JobMode, JobState, MisfirePolicy, RunOutcome
from bank_python.walpole.timetable import Grid

PATIENCE = 30.0


def started(runner, name):
    return [run.started.timestamp() for run in runner.history(name)]


def test_a_periodic_job_runs_at_start_and_on_its_grid(runner, step):
    runner.add_job(JobConfig(name="tick", callable=lambda: None, interval=5.0))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    step(runner, 5.0, times=4)
    assert started(runner, "tick") == [1000.0, 1005.0, 1010.0, 1015.0, 1020.0]


def test_nothing_runs_before_its_time(runner, step):
    runner.add_job(JobConfig(name="tick", callable=lambda: None, interval=5.0))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    step(runner, 4.999)
    assert len(runner.history("tick")) == 1
    assert runner.status("tick").next_run == datetime.fromtimestamp(1005.0, UTC)


def test_late_starts_do_not_shift_the_grid(runner, step):
    runner.add_job(JobConfig(name="tick", callable=lambda: None, interval=5.0))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    step(runner, 5.7)
    step(runner, 4.3)
    step(runner, 5.0)
    assert [run.due.timestamp() for run in runner.history("tick")] == [1000.0, 1005.0, 1010.0, 1015.0]


@given(
    st.floats(0, 2e9),
    st.floats(1e-3, 1e6),
    st.integers(0, 10**6),
    st.floats(0, 1),
)
def test_the_grid_neither_drifts_nor_repeats(anchor, interval, k, fraction):
    grid = Grid(anchor, interval)
    moment = anchor + (k + fraction) * interval
    due = grid.after(moment)
    assert due > moment
    steps = round((due - anchor) / interval)
    assert due == anchor + steps * interval
    assert anchor + (steps - 1) * interval <= moment


def test_a_cron_job_runs_at_its_minutes_only(make_runner, clock, step):
    clock.advance(datetime(2026, 1, 2, 8, 0, tzinfo=UTC).timestamp() - 1000.0)
    runner = make_runner()
    runner.add_job(JobConfig(name="open", callable=lambda: None, mode="cron", cron="30 8 * * MON-FRI"))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    step(runner, 1800.0)
    step(runner, 86400.0, times=3)
    assert [run.started.strftime("%a %H:%M") for run in runner.history("open")] == ["Fri 08:30", "Mon 08:30"]


def test_a_one_shot_runs_once(runner, step):
    runner.add_job(JobConfig(name="load", callable=lambda: 3, mode=JobMode.ONE_SHOT))
    runner.start()
    assert runner.wait_for("load", timeout=PATIENCE).state is JobState.SUCCEEDED
    step(runner, 1e6)
    assert [run.result for run in runner.history("load")] == ["3"]
    assert runner.status("load").next_run is None


def test_a_job_added_to_a_running_runner_is_scheduled_at_once(runner):
    runner.start()
    runner.add_job(JobConfig(name="late", callable=lambda: None, mode="one_shot"))
    runner.wait_for("late", timeout=PATIENCE)
    assert len(runner.history("late")) == 1


def test_max_runs_ends_the_schedule(runner, step):
    runner.add_job(JobConfig(name="tick", callable=lambda: None, interval=1.0, max_runs=3))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    step(runner, 1.0, times=10)
    assert len(runner.history("tick")) == 3
    assert runner.status("tick").next_run is None


def test_a_disabled_job_is_never_due_but_can_be_triggered(runner, step):
    runner.add_job(JobConfig(name="tick", callable=lambda: None, interval=1.0, enabled=False))
    runner.start()
    step(runner, 10.0)
    assert runner.status("tick").state is JobState.DISABLED
    assert runner.history("tick") == ()
    runner.trigger("tick")
    runner.wait_for("tick", timeout=PATIENCE)


@pytest.mark.parametrize(
    ("policy", "grace", "dues", "misfires"),
    [
        (MisfirePolicy.SKIP, 1.0, [1000, 1060], 1),
        (MisfirePolicy.SKIP, 5.0, [1000, 1050, 1060], 1),
        (MisfirePolicy.RUN_ONCE, 1.0, [1000, 1010, 1060], 1),
        (MisfirePolicy.RUN_ALL, 1.0, [1000, 1010, 1020, 1030, 1040, 1050, 1060], 0),
    ],
)
def test_due_times_missed_in_a_stall_follow_the_policy(runner, step, policy, grace, dues, misfires):
    runner.add_job(JobConfig(name="tick", callable=lambda: None, interval=10.0, misfire=policy, grace=grace))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    step(runner, 55.0)  # 1010 … 1050 were missed
    step(runner, 5.0)
    assert [run.due.timestamp() for run in runner.history("tick")] == dues
    assert runner.status("tick").misfires == misfires


def test_a_paused_job_is_not_due_and_goes_on_after_resume(runner, step):
    runner.add_job(JobConfig(name="tick", callable=lambda: None, interval=10.0))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    runner.pause("tick")
    step(runner, 10.0, times=3)
    assert runner.status("tick").state is JobState.PAUSED
    assert len(runner.history("tick")) == 1
    runner.resume("tick")
    runner.wait_until_idle(PATIENCE)
    step(runner, 10.0)
    assert started(runner, "tick") == [1000.0, 1030.0, 1040.0]


def test_trigger_runs_now_and_leaves_the_schedule(runner, step):
    runner.add_job(JobConfig(name="tick", callable=lambda: None, interval=10.0))
    runner.start()
    runner.wait_until_idle(PATIENCE)
    step(runner, 3.0)
    runner.trigger("tick")
    runner.wait_until_idle(PATIENCE)
    step(runner, 7.0)
    assert started(runner, "tick") == [1000.0, 1003.0, 1010.0]


@pytest.mark.parametrize("held", [True, False])
def test_a_one_shot_that_a_trigger_has_done_is_due_no_more(runner, step, held):
    runner.add_job(JobConfig(name="never", callable=lambda: None, mode="one_shot", enabled=False))
    runner.add_job(JobConfig(name="load", callable=lambda: None, mode="one_shot", depends_on=["never"] if held else []))
    if not held:
        runner.pause("load")
    runner.start()
    runner.wait_until_idle(PATIENCE)
    assert runner.history("load") == ()
    runner.trigger("load")
    runner.wait_for("load", timeout=PATIENCE)
    runner.resume("load")
    runner.trigger("never")
    runner.wait_until_idle(PATIENCE)
    step(runner, 100.0)
    assert len(runner.history("load")) == 1
    assert runner.status("load").next_run is None


def test_run_once_needs_no_start_and_returns_the_run(runner):
    runner.add_job(JobConfig(name="mark", callable=lambda x, y: x + y, args=(1,), kwargs={"y": 2}, interval=5))
    run = runner.run_once("mark")
    assert (run.outcome, run.result, run.number, run.attempt) == (RunOutcome.SUCCEEDED, "3", 1, 1)
    assert runner.history("mark") == (run,)
    assert not runner.running
