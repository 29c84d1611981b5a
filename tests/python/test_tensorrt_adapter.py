"""Finding NVIDIA's modules, their log and their progress; what this machine can do with them."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from chexnet_trt import _core
from chexnet_trt.cli import main
from chexnet_trt.tensorrt import adapter, presence
from chexnet_trt.tensorrt.adapter import ENTERPRISE, RTX, version_numbers
from chexnet_trt.tensorrt.monitor import Monitor
from tensorrt_networks import needs_rtx


@pytest.fixture
def modules(monkeypatch):
    """modules(tensorrt=..., tensorrt_rtx=...): what is installed and what importing it gives."""

    def install(**found):
        def load(name):
            if isinstance(found[name], Exception):
                raise found[name]
            return found[name]

        monkeypatch.setattr(adapter.importlib.util, "find_spec", lambda name: found.get(name))
        monkeypatch.setattr(adapter, "import_module", load)
        adapter._load.cache_clear()

    yield install
    monkeypatch.undo()
    adapter._load.cache_clear()


def module(version):
    class Logger:
        Severity = SimpleNamespace(WARNING=2, INFO=3, VERBOSE=4)

    return SimpleNamespace(__version__=version, ILogger=Logger)


def test_none_is_installed(modules):
    modules()
    with pytest.raises(_core.InputError, match=r"pip install 'chexnet_trt\[tensorrt-rtx\]'"):
        adapter.load()


def test_the_one_that_is_installed_is_taken_and_tensorrt_first(modules):
    modules(tensorrt_rtx=module("1.7.1.116"))
    assert adapter.load().name == RTX
    modules(tensorrt=module("10.16.1.11"), tensorrt_rtx=module("1.7.1.116"))
    assert str(adapter.load()) == "tensorrt 10.16.1.11"
    assert adapter.load(RTX).is_rtx


def test_one_by_name_that_is_not_there(modules):
    modules(tensorrt_rtx=module("1.7.1.116"))
    with pytest.raises(_core.InputError, match=r"no tensorrt here: .*chexnet_trt\[tensorrt\]"):
        adapter.load(ENTERPRISE)
    with pytest.raises(_core.InputError, match="no TensorRT is called 'trt'"):
        adapter.load("trt")


def test_one_that_is_too_old_or_does_not_load(modules):
    modules(tensorrt=module("8.6.1"))
    with pytest.raises(_core.InputError, match=r"tensorrt 8\.6\.1 is too old: 10\.0 or newer"):
        adapter.load()
    modules(tensorrt=OSError("libnvinfer.so.10: cannot open shared object file"))
    with pytest.raises(_core.InputError, match=r"does not load: libnvinfer\.so\.10"):
        adapter.load()


def test_without_a_gpu_tensorrt_has_no_builder(modules):
    class Broken:
        def __init__(self, log):
            log.log(0, "CUDA initialization failure with error: 35")
            raise TypeError("pybind11::init(): factory function returned nullptr")

    found = module("10.16.1.11")
    found.Builder = Broken
    modules(tensorrt=found)
    with pytest.raises(_core.BackendError, match="cannot build here: CUDA initialization failure"):
        adapter.load().create_builder()


def test_versions():
    assert version_numbers("10.16.1.11") == (10, 16, 1, 11)
    assert version_numbers("11.0.0.dev3") == (11, 0, 0)
    with pytest.raises(ValueError, match="no version"):
        version_numbers("unknown")


@needs_rtx
def test_errors_are_kept_in_one_line_and_warnings_logged(caplog):
    api = adapter.load(RTX)
    severity = api.trt.ILogger.Severity
    api.log.clear()
    with caplog.at_level("INFO", "chexnet_trt.tensorrt"):
        api.log.sink.log(severity.ERROR, "two\n  lines")
        api.log.sink.log(severity.INTERNAL_ERROR, "two lines")
        api.log.sink.log(severity.WARNING, "careful")
        api.log.sink.log(severity.VERBOSE, "chatter")
    assert api.log.errors() == ["two lines"]
    assert caplog.messages == ["careful"]
    api.log.clear()
    assert api.log.errors() == []


@needs_rtx
def test_progress_of_a_phase():
    calls = []
    monitor = Monitor(adapter.load(RTX).trt, lambda *call: calls.append(call))
    monitor.sink.phase_start("tuning", None, 3)
    assert monitor.sink.step_complete("tuning", 0)
    monitor.sink.phase_finish("tuning")
    assert calls == [("TensorRT: tuning", done, 3) for done in (0, 1, 3)]


@needs_rtx
def test_an_error_of_the_progress_cancels_and_does_not_reach_tensorrt():
    def interrupt(*call):
        raise KeyboardInterrupt

    monitor = Monitor(adapter.load(RTX).trt, interrupt)
    monitor.sink.phase_start("tuning", None, 3)
    assert not monitor.sink.step_complete("tuning", 0)
    assert isinstance(monitor.error, KeyboardInterrupt)


def no_gpu():
    raise OSError("there is no NVIDIA driver")


@pytest.mark.parametrize(
    ("names", "gpus", "builds", "runs"),
    [
        ((RTX,), no_gpu, "yes, with or without a GPU", "no: there is no NVIDIA driver"),
        ((ENTERPRISE,), no_gpu, "no: there is no NVIDIA driver, and tensorrt", "no: there is no"),
        ((RTX,), lambda: ["9.0"], "yes", "no: tensorrt_rtx refuses compute capability 9.0"),
        ((RTX,), lambda: ["8.9"], "yes", "on compute capability 8.9"),
        ((ENTERPRISE,), lambda: ["9.0"], "yes", "on compute capability 9.0"),
    ],
)
def test_what_this_machine_can_do(modules, monkeypatch, names, gpus, builds, runs):
    versions = {ENTERPRISE: "10.16.1.11", RTX: "1.7.1.116"}
    modules(**{name: module(versions[name]) for name in names})
    monkeypatch.setattr(presence, "gpus", gpus)
    found = presence.presence()
    assert found.missing == ""
    assert found.builds.startswith(builds)
    assert found.runs.startswith(runs)
    assert presence.SELF_TEST in found.runs


def test_doctor_says_how_to_get_it(modules, capsys):
    modules()
    assert main(["doctor", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["backends"]}
    assert rows["tensorrt"]["missing"] == adapter.MISSING
    assert main(["doctor"]) == 0
    assert "tensorrt        absent: no TensorRT: pip install" in capsys.readouterr().out


@needs_rtx
def test_doctor_with_tensorrt(capsys):
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "tensorrt_rtx 1." in text
    assert "builds: yes" in text
    assert "runs: " in text
