from __future__ import annotations

import os
import signal
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import networks
from chexnet_trt import _core, build
from chexnet_trt._core import InputError
from chexnet_trt.compare import files, workers
from chexnet_trt.compare.measuring import Field, measure_round
from chexnet_trt.compare.modes import BASELINE, BY_NAME, MODES, select
from chexnet_trt.compare.reasons import reason_of
from chexnet_trt.compare.runtimes import integrated, native
from chexnet_trt.compare.runtimes.devices import require
from chexnet_trt.compare.setting import INPUT, Setting
from chexnet_trt.compare.workers import BrokenModeError, Worker
from chexnet_trt.preprocess import preset

SIZE = (networks.SIZE, networks.SIZE, networks.CHANNELS)
CORES = set(sorted(os.sched_getaffinity(0))[:1])
RUN = {"do": "run", "batch": 2, "seconds": 0.001, "device": True, "scores": True}


@pytest.fixture
def setting(tmp_path, small_pb) -> Setting:
    images = np.random.default_rng(0).random((12, *SIZE), np.float32)
    np.save(tmp_path / "images.npy", images)
    paths = {"images": tmp_path / "images.npy", "calibration": tmp_path / "images.npy"}
    return Setting(
        model=small_pb, size=SIZE, preset="unit", work=tmp_path, threads=1, max_batch=4, **paths
    )


@pytest.fixture
def worker(setting):
    opened = Worker(BY_NAME["native-fp32"], setting, CORES)
    yield opened
    opened.close()


def test_a_worker_runs_the_network_on_the_images(worker, setting):
    answer = worker.ask(RUN)
    images = np.load(setting.images)[:2]
    np.testing.assert_allclose(answer["scores"], networks.small_scores(images), atol=1e-4)
    assert len(answer["times"]) >= 1
    assert len(answer["device"]) >= 1
    assert min(answer["times"] + answer["device"]) > 0


def test_a_gpu_that_runs_slices_tells_no_device_latency(setting):
    engine = build(setting.model, max_batch=4, slice_size=2, **setting.network)
    on_gpu = native._Session(engine, 4, apart=True)
    assert on_gpu.bind(4).device_times(1) == []
    assert len(on_gpu.bind(2).device_times(1)) == 1
    assert len(native._Session(engine, 4, apart=False).bind(4).device_times(1)) == 1


PEERS = [
    pytest.param("tensorflow-cpu", "tensorflow", marks=pytest.mark.tensorflow),
    pytest.param("openvino-fp32", "openvino"),
    pytest.param("onnxruntime-fp32", "tf2onnx", marks=pytest.mark.tensorflow),
    pytest.param("integrated-fp32", "tensorflow", marks=pytest.mark.tensorflow),
]


@pytest.mark.parametrize(("name", "package"), PEERS)
def test_peers_run_the_same_network_on_the_same_images(setting, name, package, request):
    pytest.importorskip(package)
    if name.startswith("integrated"):
        request.getfixturevalue("op_library")
    peer = Worker(BY_NAME[name], setting, CORES)
    answer = peer.ask(RUN)
    peer.close()
    expected = networks.small_scores(np.load(setting.images)[:2])
    np.testing.assert_allclose(answer["scores"], expected, atol=1e-4)
    assert min(answer["times"]) > 0


def test_an_integrated_mode_is_what_its_engine_computes_in(small_engine):
    """create_inference_graph permits a precision and does not force it."""
    node = SimpleNamespace(op=integrated.ENGINE_OP, attr={"engine": SimpleNamespace()})
    node.attr["engine"].s = small_engine.read_bytes()
    plain = SimpleNamespace(op="Relu")
    facts = integrated.facts_of(SimpleNamespace(node=[plain, node]), "fp32")
    assert (facts["engines"], facts["nodes_left"], facts["precisions"]) == (1, 1, ["fp32"])
    with pytest.raises(InputError, match="the builder took fp32"):
        integrated.facts_of(SimpleNamespace(node=[node]), "int8")
    with pytest.raises(InputError, match="no part of the graph"):
        integrated.facts_of(SimpleNamespace(node=[plain]), "fp32")


@pytest.mark.tensorflow
def test_tensorflow_without_a_gpu_says_so(setting, monkeypatch):
    pytest.importorskip("tensorflow")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    with pytest.raises(BrokenModeError, match="finds no GPU"):
        Worker(BY_NAME["tensorflow-gpu"], setting, CORES).close()


def test_a_worker_is_pinned_and_says_how_it_runs(worker):
    assert os.sched_getaffinity(worker.pid) == CORES
    assert worker.facts["backend"] == "openvino"
    assert sum(worker.facts["layers"].values()) > 0


def test_file_to_score_is_more_than_the_network(worker, tmp_path):
    from PIL import Image

    Image.fromarray(np.zeros((700, 700), np.uint8)).save(tmp_path / "film.png")
    answer = worker.ask({"do": "file", "path": str(tmp_path / "film.png"), "seconds": 0.001})
    pairs = zip(answer["times"], answer["prepare"], strict=True)
    assert all(time > prepare > 0 for time, prepare in pairs)


def test_queries_are_served_in_their_order(worker):
    arrivals = [0.0, 0.0, 0.0, 0.02, 0.04]
    answer = worker.ask({"do": "serve", "batches": [1, 2], "arrivals": arrivals})
    assert len(answer["latencies"]) == 5
    assert min(answer["latencies"]) > 0


def test_what_cannot_be_done_is_said_and_the_process_goes_on(worker):
    with pytest.raises(BrokenModeError, match="batch 9"):
        worker.ask(RUN | {"batch": 9})
    assert worker.alive()
    assert worker.ask(RUN)["times"]


def test_a_process_that_dies_is_out_with_the_reason(worker):
    other = Field({"a": worker}, CORES)
    os.kill(worker.pid, signal.SIGKILL)
    kept, answers = measure_round(other, 0, lambda key: RUN, lambda: None)
    assert kept["errors"] == {"a": "its process was ended by SIGKILL"}
    assert answers == {}
    assert other.workers == {}
    assert other.broken == {"a": "its process was ended by SIGKILL"}


def test_a_process_that_hangs_is_ended(worker, monkeypatch):
    monkeypatch.setattr(workers, "ANSWER_LIMIT", 0.2)
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(BrokenModeError, match="no answer"):
        worker.ask(RUN)
    assert not worker.alive()


def test_a_mode_that_the_machine_lacks_says_why(setting):
    missing = {row.name: row.cannot_run for row in _core.backends()}.get("cuda")
    if not missing:
        pytest.skip("this machine has the CUDA backend")
    with pytest.raises(BrokenModeError) as error:
        Worker(BY_NAME["cuda-fp32"], setting, CORES)
    assert str(error.value) == reason_of(InputError(missing))


def test_a_precision_that_is_only_emulated_is_missing(monkeypatch):
    """Its rounding is real, its speed says nothing."""
    monkeypatch.setattr(_core, "device_precisions", lambda _: ["fp32"])
    with pytest.raises(InputError, match="no fp16 kernels"):
        require("openvino", "fp16")
    require("openvino", "fp32")
    with pytest.raises(InputError, match="no backend 'warp'"):
        require("warp", "fp32")


def test_a_tool_that_cannot_make_its_file_says_why(setting, monkeypatch):
    monkeypatch.setattr(workers.files, "ensure", _refuse)
    with pytest.raises(BrokenModeError, match=r"cannot make network\.onnx: no such tool"):
        Worker(BY_NAME["onnxruntime-fp32"], setting, CORES)


def _refuse(*_):
    raise InputError("no such tool")


def test_rounds_rotate():
    modes = Field({"a": None, "b": None, "c": None}, CORES)
    assert [modes.in_turn(turn) for turn in range(2)] == [["a", "b", "c"], ["b", "c", "a"]]


def test_modes_are_selected_in_the_order_of_the_table():
    names = [mode.name for mode in select(["native-int8", BASELINE])]
    assert names == [BASELINE, "native-int8"]
    assert select(None) == list(MODES)
    assert len(BY_NAME) == len(MODES)
    with pytest.raises(InputError, match="no mode 'warp'"):
        select(["warp"])


def test_reasons_have_no_folders_and_one_line():
    text = reason_of(ValueError("cannot open /home/someone/nets/film.pb:\n bad"))
    assert text == "ValueError: cannot open film.pb: bad"
    assert reason_of(InputError("plain")) == "plain"


def test_settings_travel_as_json(setting):
    assert Setting.from_json(setting.to_json()) == setting
    assert setting.network["inputs"] == {INPUT: (3, 8, 8)}
    assert preset(setting.preset, 8, 8, 3).name == "unit"


def test_what_a_tool_said_last_is_the_reason():
    for text in ("chexnet_trt._core.InputError: no tool", "no tool"):
        program = f"import sys; sys.exit('first line\\n{text}')"
        with pytest.raises(InputError, match=r"^no tool$"):
            files._run([sys.executable, "-c", program])
