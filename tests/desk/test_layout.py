"""Which panels a screen shows, and where: from the list of panels, by size and priority."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.text import Text

from bank_python.desk.live.glyphs import FINE
from bank_python.desk.live.layout import arranged
from bank_python.desk.live.pane import pane
from bank_python.desk.live.panel import Panel, Place
from bank_python.desk.live.panels import PANELS
from tests.desk.sample_screen import sample_backtests, sample_view


def draw_limits(view, width, height, glyphs):
    lines = [Text(f"{alert.scope} {alert.rule} {alert.value:,.0f}") for alert in view.alerts]
    return pane("LIMITS", lines, width, height, glyphs)


LIMITS = Panel("LIMITS", width=40, height=6, priority=6, place=Place.LOWER, draw=draw_limits)


def screen(width, height, panels, view=None):
    lines = [line.plain for line in arranged(view or sample_view(), width, height, FINE, panels)]
    assert [len(line) for line in lines] == [width] * height
    return "\n".join(lines)


def titles(shown):
    return {title for title in (*(panel.title for panel in PANELS), "LIMITS", "NEWS") if f"╭ {title} " in shown}


ALL = {panel.title for panel in PANELS if panel.is_needed is None}
SMALL = ALL - {"CONDITIONS", "ORDERS"}  # which need a wide column that is not full of traders


@pytest.mark.parametrize(("width", "height"), [(200, 60), (140, 36), (120, 50)])
def test_a_panel_that_is_added_to_the_list_is_drawn_where_it_fits(width, height):
    shown = screen(width, height, (*PANELS, LIMITS))
    assert titles(shown) == ALL | {"LIMITS"}
    assert "Tony VaR 99 604,045" in shown


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30)])
def test_where_it_does_not_fit_it_is_left_out(width, height):
    assert SMALL <= titles(screen(width, height, (*PANELS, LIMITS))) <= ALL


@pytest.mark.parametrize(("lines", "lost"), [(6, {"ENGINE"}), (9, {"ENGINE"}), (12, {"POSITIONS", "ENGINE"})])
def test_one_that_matters_more_takes_the_room_of_those_that_matter_least(lines, lost):
    news = Panel("NEWS", 27, lines, 3, Place.SIDE, lambda _, *size: pane("NEWS", [], *size))
    assert titles(screen(80, 24, (*PANELS, news))) == SMALL - lost | {"NEWS"}


def test_a_panel_that_is_too_wide_for_its_column_is_left_out():
    wide = replace(LIMITS, width=70)
    assert titles(screen(140, 36, (*PANELS, wide))) == ALL
    assert titles(screen(200, 50, (*PANELS, wide))) == ALL | {"LIMITS"}


@pytest.mark.parametrize(("width", "height"), [(200, 60), (140, 40), (120, 40), (100, 45), (80, 60)])
def test_a_panel_that_is_needed_for_some_views_only_is_shown_for_those(width, height):
    tested = replace(sample_view(), backtests=sample_backtests())
    assert titles(screen(width, height, PANELS, tested)) - titles(screen(width, height, PANELS)) == {"BACK-TESTS"}


def test_panels_are_taken_off_by_taking_them_off_the_list():
    for missing in PANELS:
        rest = [panel for panel in PANELS if panel is not missing]
        for size in ((80, 24), (90, 40), (200, 60)):
            held = titles(screen(*size, rest))
            assert SMALL - {missing.title} <= held <= ALL - {missing.title}


@pytest.mark.parametrize("count", [1, 14, 30, 60])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 45), (140, 36), (200, 60)])
def test_however_many_traders_there_are_the_screen_is_filled(count, width, height):
    view = sample_view()
    many = replace(view, traders=tuple(view.traders[i % 14] for i in range(count)))
    shown = titles(screen(width, height, PANELS, many))
    assert SMALL <= shown <= ALL
    assert shown == ALL or (width, height) == (80, 24) or count > 14


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(80, 240),
    height=st.integers(24, 80),
    wanted=st.lists(
        st.tuples(st.integers(1, 120), st.integers(2, 30), st.integers(1, 9), st.sampled_from(Place), st.booleans()),
        max_size=9,
    ),
)
def test_whatever_the_list_each_panel_has_the_size_it_needs_or_is_left_out(width, height, wanted):
    drawn = {}

    def panel(i, least_width, least_height, priority, place, is_complete):
        def draw(view, width, height, glyphs):
            drawn[i] = (width, height)
            return pane(str(i), [], width, height, glyphs)

        complete_at = (lambda _: least_height + 3) if is_complete else None
        return Panel(str(i), least_width, least_height, priority, place, draw, complete_at)

    panels = [panel(i, *facts) for i, facts in enumerate(wanted)]
    screen(width, height, panels)
    for i, size in drawn.items():
        assert size[0] >= panels[i].width
        assert size[1] >= panels[i].height
    left_out = [one for i, one in enumerate(panels) if i not in drawn]
    if left_out:  # the first that was left out would have been shown without those that matter less
        first = min(left_out, key=lambda one: one.priority)
        drawn.clear()
        screen(width, height, [one for one in panels if one.priority < first.priority])
        assert len(drawn) == sum(one.priority < first.priority for one in panels)
