from __future__ import annotations

import itertools
import threading

import pytest

from chexnet_trt.parallel import map_ahead


def test_results_come_in_order_whichever_ends_first():
    second_ended = threading.Event()

    def work(number):
        if number == 0:
            assert second_ended.wait(30)
        if number == 1:
            second_ended.set()
        return number * 10

    assert list(map_ahead(work, range(5), threads=2, ahead=2)) == [0, 10, 20, 30, 40]


def test_no_more_is_taken_than_said():
    taken = itertools.count()
    results = map_ahead(lambda _: None, (next(taken) for _ in range(100)), threads=2, ahead=3)
    next(results)
    assert next(taken) == 4
    results.close()


def test_an_exception_comes_at_its_place():
    results = map_ahead(lambda number: 1 // number, [1, 0, 1], threads=2, ahead=2)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
