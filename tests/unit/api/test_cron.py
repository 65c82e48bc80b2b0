"""Schedules are understood as upstream understands them, and refused in its words."""

import pytest

from minikube_py.api.cron import CronError, CronSchedule, parse_cron

EVERY_HOUR = frozenset(range(24))


def test_lists_ranges_steps_and_names():
    schedule = parse_cron("*/20 9-17/4 1,15 JAN,jun-aug MON-wed")

    assert schedule.minutes == {0, 20, 40}
    assert schedule.hours == {9, 13, 17}
    assert schedule.days_of_month == {1, 15}
    assert schedule.months == {1, 6, 7, 8}
    assert schedule.days_of_week == {1, 2, 3}
    assert not schedule.any_day_of_month
    assert not schedule.any_day_of_week


def test_a_start_with_a_step_goes_on_to_the_end():
    assert parse_cron("5/20 * ? * *").minutes == {5, 25, 45}
    assert parse_cron("5/20 * ? * *").any_day_of_month


@pytest.mark.parametrize(
    ("field", "is_any"), [("*", True), ("?", True), ("*/1", True), ("*/2", False), ("1,*", True), ("1/2", False)]
)
def test_a_star_with_a_step_is_a_choice_of_days(field, is_any):
    assert parse_cron(f"0 0 {field} * 1").any_day_of_month is is_any


@pytest.mark.parametrize(
    ("descriptor", "fields"),
    [("@hourly", "0 * * * *"), ("@daily", "0 0 * * *"), ("@weekly", "0 0 * * 0"), ("@yearly", "0 0 1 1 *")],
)
def test_descriptors_stand_for_fields(descriptor, fields):
    assert parse_cron(descriptor) == parse_cron(fields)
    assert parse_cron(descriptor).hours <= EVERY_HOUR


@pytest.mark.parametrize(("text", "seconds"), [("1h30m", 5400), ("90s", 90), ("10ms", 1), ("1.5m", 90)])
def test_every_is_a_period_of_whole_seconds(text, seconds):
    assert parse_cron(f"@every {text}") == CronSchedule(every_s=seconds)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty spec string"),
        ("nope", "expected exactly 5 fields, found 1: [nope]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("* * * * 7", "end of range (7) above maximum (6): 7"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("@never", "unrecognized descriptor: @never"),
        ("@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'),
    ],
)
def test_what_is_wrong_is_said_in_upstreams_words(text, why):
    with pytest.raises(CronError) as raised:
        parse_cron(text)
    assert str(raised.value) == why
