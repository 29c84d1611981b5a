from __future__ import annotations

import json

import pytest

import comparisons
from chexnet_trt._core import InputError
from chexnet_trt.compare import results


def test_what_is_saved_is_loaded(tmp_path):
    result = comparisons.comparison()
    results.save(tmp_path / "run.json", result)
    assert results.load(tmp_path / "run.json") == json.loads(json.dumps(result))


def test_lists_of_times_take_one_line(tmp_path):
    results.save(tmp_path / "run.json", {"times": [1.5, 2e-05, -3], "names": ["a", "b"]})
    text = (tmp_path / "run.json").read_text()
    assert '"times": [1.5, 2e-05, -3]' in text
    assert json.loads(text)["names"] == ["a", "b"]


def test_a_run_goes_on_with_another_target(tmp_path):
    results.save(tmp_path / "run.json", comparisons.comparison())
    fresh = comparisons.comparison(target_ms=10.0) | {"rounds": []}
    found = results.continued(tmp_path / "run.json", fresh)
    assert len(found["rounds"]) == 12
    assert found["settings"]["latency_target_ms"] == 10


@pytest.mark.parametrize("part", ["settings", "models", "environment"])
def test_a_run_with_other_settings_is_refused(tmp_path, part):
    results.save(tmp_path / "run.json", comparisons.comparison())
    fresh = comparisons.comparison()
    fresh[part] = fresh[part] | {"threads": 99}
    with pytest.raises(InputError, match=rf"other {part} \(threads"):
        results.continued(tmp_path / "run.json", fresh)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot read"),
        ("{", "is not JSON"),
        ("[1]", "is not a comparison"),
        ('{"format": 1}', "is not a comparison"),
        ('{"format": 99, "rounds": []}', "format 99"),
    ],
)
def test_other_files_are_refused(tmp_path, content, words):
    path = tmp_path / "run.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=words):
        results.load(path)
