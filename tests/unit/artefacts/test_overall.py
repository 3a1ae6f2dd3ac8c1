"""The line for a whole run says what is done, and about how long the rest takes."""

import pytest

from koopscope.artefacts.overall import Overall


def line(done, total, seconds, last=""):
    times = iter([0, seconds])
    return Overall(lambda: next(times)).line(done, total, last)


@pytest.mark.parametrize(
    ("done", "seconds", "left"),
    [(50, 600, "10 min"), (90, 60, "1 min"), (10, 3600, "9 h"), (50, 7000, "117 min")],
)
def test_time_left_is_that_of_the_jobs_so_far(done, seconds, left):
    assert line(done, 100, seconds) == f"{done} of 100 jobs ({done} %), about {left} left"


def test_before_a_few_are_done_and_after_the_last_no_time_is_said():
    assert line(4, 100, 60, "Drawing") == "4 of 100 jobs (4 %); last: Drawing"
    assert line(100, 100, 60, "Drawing") == "100 of 100 jobs (100 %)"
