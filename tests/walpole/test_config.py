import dataclasses
import functools
import math

import pytest

from bank_python.errors import BankError, JobConfigError
from bank_python.walpole import Backoff, JobConfig, JobMode, MisfirePolicy


def good(**changes):
    return JobConfig(**({"name": "fetch", "callable": print, "mode": JobMode.PERIODIC, "interval": 5.0} | changes))


async def asynchronous():
    """An async function, which a thread cannot call."""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"callable": None}, ["fetch", "callable", "None", "function to run"]),
        ({"callable": "print"}, ["callable", "'print'"]),
        ({"callable": asynchronous}, ["async"]),
        ({"callable": lambda: None, "args": (1,)}, ["args"]),
        ({"callable": lambda x: x}, ["args"]),
        ({"name": ""}, ["name", "''"]),
        ({"name": "a/b"}, ["a/b"]),
        ({"name": " a"}, ["blanks"]),
        ({"name": 3}, ["3"]),
        ({"interval": 0}, ["interval=0", "greater than 0"]),
        ({"interval": -1.0}, ["-1.0"]),
        ({"interval": math.nan}, ["nan"]),
        ({"interval": math.inf}, ["inf"]),
        ({"interval": True}, ["True"]),
        ({"interval": None}, ["interval"]),
        ({"interval": "5"}, ["'5'"]),
        ({"mode": "sometimes"}, ["sometimes", "PERIODIC", "CRON"]),
        ({"mode": JobMode.CRON, "interval": None}, ["cron"]),
        ({"mode": JobMode.CRON, "interval": None, "cron": "61 * * * *"}, ["fetch", "61"]),
        ({"mode": JobMode.CRON, "cron": "* * * * *"}, ["interval"]),
        ({"cron": "* * * * *"}, ["cron", "JobMode.CRON"]),
        ({"mode": "one_shot"}, ["interval"]),
        ({"retries": -1}, ["retries=-1"]),
        ({"retries": 1.5}, ["1.5"]),
        ({"max_runs": 0}, ["max_runs=0"]),
        ({"jitter": 1.1}, ["jitter"]),
        ({"grace": -1}, ["grace"]),
        ({"timeout": 0}, ["timeout"]),
        ({"misfire": "later"}, ["RUN_ONCE"]),
        ({"backoff": -1}, ["backoff"]),
        ({"depends_on": "other"}, ["list"]),
        ({"depends_on": ["fetch"]}, ["itself"]),
        ({"depends_on": [""]}, ["not a job's name"]),
        ({"kwargs": [1]}, ["kwargs"]),
        ({"enabled": 1}, ["enabled"]),
        ({"mode": "service", "interval": None, "timeout": 3}, ["until it is stopped"]),
        ({"mode": "service", "interval": None, "allow_overlap": True}, ["one run at a time"]),
    ],
)
def test_an_invalid_configuration_raises_with_name_value_and_remedy(changes, words):
    with pytest.raises(JobConfigError) as caught:
        good(**changes)
    assert isinstance(caught.value, BankError)
    assert isinstance(caught.value, ValueError)
    for word in words:
        assert word in str(caught.value)


def test_nothing_given_at_all_is_a_config_error_too():
    with pytest.raises(JobConfigError):
        JobConfig()


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ({}, JobMode.ONE_SHOT),
        ({"interval": 5.0}, JobMode.PERIODIC),
        ({"cron": "0 18 * * MON-FRI"}, JobMode.CRON),
        ({"depends_on": ["other"], "retries": 2}, JobMode.ONE_SHOT),
    ],
)
def test_a_mode_that_is_left_out_follows_from_the_schedule(given, mode):
    config = JobConfig(name="fetch", callable=print, **given)
    assert config.mode is mode
    assert dataclasses.replace(config, retries=3).mode is mode
    assert JobConfig(name="fetch", callable=print, mode=mode, **given) == config


@pytest.mark.parametrize(
    "given",
    [
        {"interval": 5.0, "cron": "* * * * *"},
        {"interval": 5.0, "mode": "cron"},
        {"interval": 5.0, "mode": "service"},
        {"cron": "* * * * *", "mode": "one_shot"},
        {"mode": "periodic"},
        {"mode": "cron"},
    ],
)
def test_a_schedule_that_contradicts_itself_is_refused_by_name(given):
    with pytest.raises(JobConfigError, match=r"job 'fetch': (interval|cron)=") as caught:
        JobConfig(name="fetch", callable=print, **given)
    assert caught.value.name == "fetch"


@pytest.mark.parametrize("given", [{"interval": 1e12}, {"interval": 5.0, "backoff": 1e13}])
def test_due_times_beyond_the_calendar_are_refused(given):
    with pytest.raises(JobConfigError, match="century"):
        JobConfig(name="fetch", callable=print, **given)


def test_waits_beyond_the_calendar_are_refused():
    with pytest.raises(JobConfigError, match="century"):
        Backoff(maximum=1e13)


def test_strings_and_lists_are_accepted():
    config = good(mode="Periodic", misfire="run-all", depends_on=["a", "b", "a"], backoff=3)
    assert config.mode is JobMode.PERIODIC
    assert config.misfire is MisfirePolicy.RUN_ALL
    assert config.depends_on == ("a", "b")
    assert config.backoff == Backoff(base=3)


def test_a_config_is_frozen_and_its_kwargs_too():
    mine = {"end": ""}
    config = good(kwargs=mine)
    mine["end"] = "!"
    assert config.kwargs == {"end": ""}
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.interval = 3.0
    with pytest.raises(TypeError):
        config.kwargs["end"] = "?"


def test_a_config_can_be_hashed_compared_and_replaced():
    assert good() == good()
    assert hash(good()) == hash(good())
    assert dataclasses.replace(good(), interval=7.0).interval == 7.0
    with pytest.raises(JobConfigError):
        dataclasses.replace(good(), interval=-7.0)


@pytest.mark.parametrize(
    ("function", "wants"),
    [
        (lambda context: context, True),
        (lambda *, context: context, True),
        (lambda: None, False),
        (lambda **kwargs: kwargs, False),
        (lambda context, /: context, None),
        (functools.partial(lambda a, context: (a, context), 1), True),
        (functools.partial(lambda context: context, context=3), True),
        (max, None),
    ],
)
def test_who_gets_a_context(function, wants):
    if wants is None:
        with pytest.raises(JobConfigError):
            good(callable=lambda context, /: context)
    else:
        assert good(callable=function).wants_context is wants


def test_a_context_given_by_the_caller_is_left_alone():
    assert not good(callable=lambda context: context, kwargs={"context": 1}).wants_context


@pytest.mark.parametrize("values", [{"base": -1}, {"factor": 0.5}, {"base": 9, "maximum": 3}, {"base": math.nan}])
def test_a_backoff_out_of_range_is_refused(values):
    with pytest.raises(JobConfigError):
        Backoff(**values)


def test_backoff_grows_to_its_maximum_and_no_attempt_overflows():
    assert [Backoff(0.5, 3, 10).delay(n) for n in range(1, 6)] == [0.5, 1.5, 4.5, 10, 10]
    assert Backoff().delay(100_000) == 60.0
    assert Backoff(base=0, maximum=0).delay(100_000) == 0.0


def test_reprs_read_well():
    assert repr(good(depends_on=["a"])) == "JobConfig('fetch', PERIODIC every 5s, after a)"
    assert "CRON 0 7 * * *" in repr(good(mode="cron", interval=None, cron="0 7 * * *"))
