from __future__ import annotations

import io

from chexnet_trt.progress import ProgressLine


class Terminal(io.StringIO):
    def isatty(self):
        return True


def line(stream, moments):
    return ProgressLine(stream, iter(moments).__next__)


def test_a_terminal_has_one_line_that_is_rewritten_and_cleared():
    stream = Terminal()
    progress = line(stream, [0, 0, 10])
    progress("calibrating", 0, 40)
    progress("calibrating", 10, 40)
    assert stream.getvalue().split("\r")[1:] == [
        "[0/40] calibrating",
        "[10/40] calibrating, about 30 s left",
    ]
    progress.close()
    assert stream.getvalue().endswith("\r" + " " * 36 + "\r")


def test_elsewhere_short_work_is_silent_and_long_work_has_a_line_each_half_minute():
    stream = io.StringIO()
    progress = line(stream, [0, 10, 29, 31, 40, 60, 62])
    for done in range(1, 7):
        progress("calibrating", done, 7)
    progress.close()
    assert stream.getvalue().splitlines() == [
        "[3/7] calibrating, about 41 s left",
        "[6/7] calibrating, about 10 s left",
    ]


def test_the_time_left_of_a_new_stage_starts_anew():
    stream = Terminal()
    progress = line(stream, [0, 100, 100, 110])
    progress("reading", 5, 5)
    progress("compiling", 0, 2)
    progress("compiling", 1, 2)
    assert stream.getvalue().endswith("[1/2] compiling, about 10 s left")
