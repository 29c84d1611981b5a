"""`build --backend tensorrt`: precisions, options, engine file, errors. Built without a GPU, by
tensorrt_rtx; nothing is run.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorboard")

import chexnet_trt as ct
import networks
from chexnet_trt import _core
from chexnet_trt.calibration import calibrate_network
from chexnet_trt.cli import main
from chexnet_trt.int8 import Int8
from chexnet_trt.network import Network, read
from chexnet_trt.tensorrt import adapter
from chexnet_trt.tensorrt.compile import candidates_of
from chexnet_trt.tensorrt.config import configure, set_timing_cache, write_timing_cache
from chexnet_trt.tensorrt.options import Batches, Options
from chexnet_trt.tensorrt.plan_builder import build_plan
from chexnet_trt.tensorrt.plan_header import read_plan_header
from int8_networks import NETWORK, needs_int8, pixels, write_chain
from tensorrt_networks import needs_rtx, network_of

pytestmark = needs_rtx

SIZE = ",".join(map(str, (networks.CHANNELS, networks.SIZE, networks.SIZE)))
ARGUMENTS = ["--uffInput", f"{networks.INPUT},{SIZE}", "--output", networks.SCORES]
INT8 = Int8({}, {})


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chain(tmp_path_factory.mktemp("chain") / "chain.uff")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("data") / "films.npy"
    np.save(path, pixels(40))
    return str(path)


@pytest.fixture
def built(chain: Path, tmp_path: Path, capsys):
    """built(*words): runs the command, gives its output, the engine loaded and its file."""

    def run(*words: str) -> tuple[str, Any, Path]:
        path = tmp_path / "x.engine"
        command = ["build", str(chain), *ARGUMENTS, "--backend", "tensorrt", "-o", str(path)]
        assert main([*command, *words]) == 0, capsys.readouterr().err
        return capsys.readouterr().out, ct.load(path), path

    return run


def refusal(chain: Path, tmp_path: Path, capsys, *words: str, status: int = 2) -> str:
    path = tmp_path / "x.engine"
    assert main(["build", str(chain), *ARGUMENTS, "-o", str(path), *words]) == status
    assert not path.exists()
    error: str = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_the_engine_file_holds_graph_manifest_and_plan(built):
    text, engine, path = built("--max-batch", "4", "--preprocess", "unit")
    assert "* fp32  the only one" in text
    assert engine.backend == "tensorrt"
    assert engine.max_batch == 4
    assert [info.name for info in engine.inputs] == [networks.INPUT]
    assert read_plan_header(engine.plan).module == "tensorrt_rtx"
    manifest = engine.manifest
    tensorrt = manifest["build"]["tensorrt"]
    assert tensorrt["module"] == "tensorrt_rtx"
    assert tensorrt["version"] == ".".join(map(str, adapter.load().version))
    assert tensorrt["batches"] == "batch 1 to 4, tuned for 4"
    assert tensorrt["plan_bytes"] == len(engine.plan) < path.stat().st_size
    assert manifest["precision"]["timing_input"] is None
    assert manifest["preprocess"]["name"] == "unit"
    assert manifest["source"]["graph_sha256"] == engine.graph.hash()


def test_the_lowest_permitted_precision_is_taken(built):
    text, engine, _ = built("--fp16", "--bf16")
    assert engine.precision == "bf16"
    assert "nothing timed" in text
    rows = engine.manifest["precision"]["candidates"]
    assert [(row["precision"], row["chosen"], row["median_ms"]) for row in rows] == [
        ("fp32", False, None), ("fp16", False, None), ("bf16", True, None),
    ]  # fmt: skip


def test_best_takes_int8_with_bf16_when_there_are_ranges(built):
    _, engine, _ = built("--best", "--random-ranges")
    assert engine.precision == "mixed"
    assert engine.timing_only
    _, engine, _ = built("--best")
    assert engine.precision == "bf16"
    rows = {row["precision"]: row for row in engine.manifest["precision"]["candidates"]}
    assert "calibrat" in rows["int8"]["reason"]


def names_of(rows: list[dict[str, Any]]) -> list[str]:
    return [row["precision"] + ("*" if row["chosen"] else "") for row in rows]


def test_candidates():
    assert names_of(candidates_of((), False, None, {})) == ["fp32*"]
    assert names_of(candidates_of(["fp16"], True, None, {})) == ["fp16*"]
    assert names_of(candidates_of(["int8"], False, None, {})) == ["fp32*", "int8"]
    assert names_of(candidates_of(["int8", "fp16"], False, INT8, {})) == ["fp32", "fp16", "int8*"]
    both = candidates_of(["int8", "mixed", "fp16"], False, INT8, {"int8": "too far"})
    assert names_of(both) == ["fp32", "fp16*", "int8", "mixed"]
    assert both[-1]["reason"] == "too far"
    with pytest.raises(ct.InputError, match="cannot build in int8: there are no dynamic ranges"):
        candidates_of(["int8"], True, None, {})
    with pytest.raises(ct.InputError, match="takes one precision"):
        candidates_of(["fp16", "bf16"], True, None, {})
    with pytest.raises(ct.InputError, match="unknown precision 'fp8'"):
        candidates_of(["fp8"], False, None, {})


def scales_of(engine: Any) -> dict[str, np.ndarray]:
    """Scale of each quantised value, from the network that TensorRT is given."""
    built = network_of(engine.graph, engine.precision)
    trt, found = built.api.trt, {}
    constants = {}
    for index in range(built.network.num_layers):
        layer = built.network.get_layer(index)
        kind = trt.ILayer.type.fget(layer).name
        if kind == "CONSTANT":
            layer.__class__ = trt.IConstantLayer
            constants[layer.get_output(0).name] = np.array(layer.weights)
        elif kind == "QUANTIZE":
            assert layer.get_output(0).dtype == trt.int8
            node = built.lowered.layers[layer.name]
            found[node.removesuffix("/quantize")] = np.unique(constants[layer.get_input(1).name])
    return found


@needs_int8
@pytest.mark.parametrize("precisions", [["--int8"], ["--int8", "--bf16"]])
def test_int8_has_the_scales_of_its_calibration_table(built, data, tmp_path, precisions):
    table = tmp_path / "table.cache"
    words = ["--preprocess", "unit", "--calib-data", data, "--calib", str(table)]
    _, engine, _ = built(*precisions, *words)
    assert engine.precision == ("int8" if precisions == ["--int8"] else "mixed")
    assert table.read_text().startswith("TRT-")
    ranges = _core.CalibrationTable.read(str(table)).ranges
    scales = scales_of(engine)
    assert sorted(scales) == sorted(ranges)
    for name, scale in scales.items():
        assert scale.dtype == np.float32
        assert scale.tobytes() == np.float32(ranges[name] / 127).tobytes()
    nodes = {node.name: node for node in engine.graph.nodes}
    assert {nodes[f"{name}/quantize"].attributes["element"] for name in ranges} == {"int8"}


@needs_int8
def test_int8_is_measured_on_the_cpu_as_tensorrt_will_compute_it(chain, data):
    """In int8 alone: an agreement of uint8 would promise more than the plan holds."""
    network: Network = read(chain, **NETWORK)
    from chexnet_trt import feeding, int8_arguments
    from chexnet_trt.calibration import Method
    from chexnet_trt.int8 import from_table
    from chexnet_trt.sensitivity import Trial

    source = feeding.open_source(data)
    table = calibrate_network(network, source, Method("minmax"))
    batches = int8_arguments.check_batches(network, source)
    agreements = [
        Trial(network, from_table(table, signed_only=signed), batches).agreement(())
        for signed in (False, True)
    ]
    assert agreements[0].sqnr_db > agreements[1].sqnr_db


def test_kept_layers_stay_in_floating_point(built):
    _, engine, _ = built("--int8", "--random-ranges", "--keep-high-precision", "conv_1")
    per_layer = engine.manifest["precision"]["per_layer"]
    assert per_layer == {"conv_0": "int8", "conv_1": "fp32", "conv_2": "int8", "product": "int8"}


def test_heatmaps_are_an_output_more(built):
    _, engine, _ = built("--heatmap", "--int8", "--random-ranges")
    assert [info.name for info in engine.outputs][-1] == _core.CLASS_ACTIVATION_OUTPUT


def test_static_batch(built):
    _, engine, _ = built("--static-batch", "--max-batch", "3")
    assert engine.manifest["build"]["tensorrt"]["batches"] == "batch 3 alone"


def test_a_network_without_a_batch():
    builder = _core.GraphBuilder()
    builder.add("input", "x", [], {"shape": (2, 3)})
    builder.add("activation", "y", ["x"], {"kind": "relu"})
    builder.add_output("y", "y")
    graph = builder.finish()
    assert ct.build(graph, backend="tensorrt").plan is not None
    with pytest.raises(ct.InputError, match="the inputs of this network have no batch; use 1"):
        ct.build(graph, backend="tensorrt", max_batch=2)


def test_batches_of_the_profile():
    assert Options().batches(8) == Batches(1, 8, 8)
    assert Options(min_batch=2, opt_batch=4).batches(8) == Batches(2, 4, 8)
    assert Options(static=True, opt_batch=4).batches(8) == Batches(8, 8, 8, static=True)
    with pytest.raises(ct.InputError, match="profile are 9, 8, 8: least, tuned for and most"):
        Options(min_batch=9).batches(8)


def test_every_option_of_the_builder(built):
    words = ["--workspace", "64", "--optimization-level", "0", "--compute-capability", "8.6,8.9"]
    _, engine, _ = built(
        *words, "--tensorrt", "tensorrt_rtx", "--opt-batch", "2", "--max-batch", "4"
    )
    assert engine.device == "compute capability 8.6, 8.9"
    assert "batch 1 to 4, tuned for 2" in engine.manifest["build"]["tensorrt"]["batches"]


@pytest.mark.parametrize("tf32", [False, True])
def test_fp32_is_fp32_unless_tf32_is_allowed(tf32):
    api = adapter.load(adapter.RTX)
    config = configure(api, api.create_builder(), Options(tf32=tf32))
    assert config.get_flag(api.trt.BuilderFlag.TF32) is tf32
    assert config.profiling_verbosity == api.trt.ProfilingVerbosity.DETAILED


def test_the_bare_plan(built, tmp_path, capsys):
    plan = tmp_path / "x.plan"
    _, engine, path = built("--plan", str(plan))
    assert plan.read_bytes() == bytes(engine.plan)
    extracted = tmp_path / "y.plan"
    assert main(["inspect", str(path), "--extract-plan", str(extracted)]) == 0
    assert extracted.read_bytes() == plan.read_bytes()


def test_inspect(built, capsys):
    _, _, path = built("--int8", "--random-ranges")
    assert main(["inspect", str(path), "--layers"]) == 0
    text = capsys.readouterr().out
    assert re.search(r"plan +[\d,]+ bytes, made by tensorrt_rtx 1\.", text)
    assert re.search(r"int8 +int8 +[\d.]+ .*conv_1", text)
    assert main(["inspect", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["backend"] == "tensorrt"
    assert [row["layer"] for row in facts["weight_layers"]][-1] == "product"
    assert bool(facts["layers"]) != bool(facts["layers_missing"])


def test_an_engine_of_the_cpu_has_no_plan(small_engine, tmp_path, capsys):
    target = tmp_path / "x.plan"
    assert main(["inspect", str(small_engine), "--extract-plan", str(target)]) == 2
    assert "has no plan: it is for the backend 'openvino'" in capsys.readouterr().err
    assert not target.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workspace", "64"], "--workspace is for --backend tensorrt"),
        (["--plan", "x.plan"], "--plan is for --backend tensorrt"),
        (["--optimization-level", "0"], "--optimization-level is for --backend tensorrt"),
        (["--backend", "tensorrt", "--slice", "2"], "slice_size means nothing to the backend"),
        (["--backend", "tensorrt", "--no-blob"], "embed_blob means nothing to the backend"),
        (["--backend", "tensorrt", "--min-batch", "2"], "batch sizes of TensorRT's profile are 2"),
        (["--backend", "tensorrt", "--compute-capability", "9.0"], "no compute capability '9.0'"),
        (["--backend", "tensorrt", "--timing-cache", "x"], "a timing cache is for tensorrt"),
        (["--backend", "tensorrt", "--int8"], "--int8 needs a calibration"),
    ],
)
def test_bad_usage(chain, tmp_path, capsys, words, message):
    assert message in refusal(chain, tmp_path, capsys, *words)


def test_options_are_checked_before_the_long_work(chain, tmp_path, capsys, data):
    words = ["--backend", "tensorrt", "--timing-cache", "x", "--int8", "--preprocess", "unit"]
    table = tmp_path / "t.cache"
    refusal(chain, tmp_path, capsys, *words, "--calib-data", data, "--calib", str(table))
    assert not table.exists()


def test_what_tensorrt_cannot_build_is_one_line(chain, tmp_path, capsys):
    """Compute capability 7.5 has no matrix product in fp32."""
    words = ["--backend", "tensorrt", "--compute-capability", "7.5"]
    error = refusal(chain, tmp_path, capsys, *words, status=1)
    assert "cannot build the network at the node 'product'" in error


def test_ctrl_c_cancels(chain):
    network = read(chain, **NETWORK)
    calls = []

    def progress(*call):
        calls.append(call)
        raise KeyboardInterrupt

    options = Options()
    with pytest.raises(KeyboardInterrupt):
        build_plan(
            adapter.load(), network.optimized, precision="fp32", batches=options.batches(1),
            options=options, progress=progress,
        )  # fmt: skip
    assert calls[0][0].startswith("TensorRT: ")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # tensorrt_rtx has no use for it.
def test_the_timing_cache_goes_to_a_file_and_back(tmp_path):
    builder = adapter.load(adapter.RTX).create_builder()
    path = tmp_path / "times.cache"
    config = builder.create_builder_config()
    set_timing_cache(config, path)
    write_timing_cache(config, path)
    assert path.stat().st_size > 0
    set_timing_cache(builder.create_builder_config(), path)


def test_options_of_tensorrt_are_for_tensorrt(chain):
    with pytest.raises(ct.InputError, match="options of TensorRT mean nothing"):
        ct.build(chain, inputs=NETWORK["inputs"], tensorrt=Options())


def test_from_python(chain):
    engine = ct.build(
        chain,
        inputs=NETWORK["inputs"],
        outputs=NETWORK["outputs"],
        backend="tensorrt",
        precisions=["int8"],
        random_ranges=True,
        max_batch=2,
        tensorrt=Options(static=True),
    )
    assert engine.precision == "int8"
    elements = {
        node.attributes.get("element") for node in engine.graph.nodes if node.op == "quantize"
    }
    assert elements == {"int8"}
