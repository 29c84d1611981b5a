"""The command line from end to end, on the small network."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorboard")

import chexnet_trt as ct
import networks
from chexnet_trt import _core
from chexnet_trt.cli import COMMANDS, main
from chexnet_trt.labels import LABELS
from chexnet_trt.trtexec.without_effect import ALWAYS_SO, REFUSED, explain
from int8_networks import needs_int8, pixels
from networks import INPUT, SCORES, small_images

NUMBER = r"\d[\d.e+-]*"
AVERAGE = re.compile(
    rf"Average over 10 runs is {NUMBER} ms \(host walltime is {NUMBER} ms, "
    rf"99% percentile time is {NUMBER}\)\."
)
STATISTICS = (
    rf"min = {NUMBER} ms, max = {NUMBER} ms, mean = {NUMBER} ms, median = {NUMBER} ms, "
    rf"percentile\(90%\) = {NUMBER} ms, percentile\(95%\) = {NUMBER} ms, "
    rf"percentile\(99%\) = {NUMBER} ms"
)
# A bounded run: no warm-up, and as many queries as --iterations says.
SHORT = ["--warmUp=0", "--duration=0", "--iterations=12"]


def run(capsys, *words) -> str:
    """Standard output of a command that succeeds."""
    capsys.readouterr()
    assert main([str(word) for word in words]) == 0
    return capsys.readouterr().out


def from_uff(path) -> list[str]:
    return [f"--uff={path}", f"--output={SCORES}", f"--uffInput={INPUT},3,8,8"]


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_has_an_example(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"] if command else ["--help"])
    printed = capsys.readouterr()
    assert stop.value.code == 0
    assert printed.err == ""
    assert "example" in printed.out
    assert command is None or f"{command} " in printed.out.split("example", 1)[1]
    if command is None:
        assert all(f"\n    {name} " in printed.out for name in COMMANDS)


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("chexnet_trt ")


def test_the_whitepapers_two_command_lines(tmp_path, small_pb, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chexnet.pb").write_bytes(small_pb.read_bytes())
    converted = run(capsys, "convert", "input_file", "chexnet.pb").splitlines()
    assert converted[-1] == "UFF Output written to chexnet.uff"
    assert f"Using output node {SCORES}" in converted
    command = (
        "trtexec --uff=chexnet.uff --output=chexnet_sigmoid_tensor --uffInput=input_tensor,3,8,8 "
        "--iterations=4 --batch=1 --device=0 --avgRuns=10"
    )
    lines = run(capsys, *command.split()).splitlines()
    averages = [index for index, line in enumerate(lines) if line.startswith("Average over")]
    assert len(averages) == 4
    assert averages == list(range(averages[0], averages[0] + 4))
    assert all(AVERAGE.fullmatch(lines[index]) for index in averages)
    assert "input: RANDOM" in lines[averages[0] - 1]
    block = lines[averages[-1] + 1 :]
    assert block[0] == "=== Performance summary ==="
    assert re.fullmatch(rf"Throughput: {NUMBER} qps \({NUMBER} images/s\)", block[1])
    for name, line in zip(("Latency", "Enqueue Time", "Compute Time"), block[2:5], strict=True):
        assert re.fullmatch(f"{name}: {STATISTICS}", line)
    assert re.fullmatch(rf"Total Host Walltime: {NUMBER} s", block[5])
    assert re.fullmatch(rf"Total Compute Time: {NUMBER} s", block[6])
    assert "host time of one query" in block[-1]


@pytest.mark.parametrize("flag", list(REFUSED))
def test_refused_flags_are_named_with_the_reason(flag, small_uff, capsys):
    for words in ([flag], [f"{flag}=1"]):
        assert main(["trtexec", *from_uff(small_uff), *words]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err == f"chexnet_trt trtexec: error: cannot apply {flag}: {REFUSED[flag]}\n"


def test_all_refused_flags_are_named_at_once(small_uff, capsys):
    assert main(["trtexec", *from_uff(small_uff), "--workspace=16", "--fp8"]) == 2
    line = capsys.readouterr().err
    assert "--workspace: " in line
    assert "--fp8: " in line


def test_flags_that_are_always_so_are_noted(small_engine, capsys):
    out = run(capsys, "trtexec", f"--loadEngine={small_engine}", *SHORT, *ALWAYS_SO)
    notes = [line for line in out.splitlines() if line.startswith("note: ")]
    assert notes == [
        f"note: {flag}: {reason}, always so here" for flag, reason in ALWAYS_SO.items()
    ]


@pytest.mark.parametrize("backend", ["tensorrt", "cuda"])
def test_what_a_cpu_lacks_is_always_so_on_a_gpu(backend):
    here = ["--useCudaGraph", "--useSpinWait", "--includeDataTransfers"]
    refused, always = explain(here, backend)
    assert refused == []
    assert len(always) == len(here)
    opposite = ["--noCudaGraph", "--noSpinWait", "--noDataTransfers"]
    refused, always = explain(opposite, backend)
    assert len(refused) == len(opposite)
    assert always == []


@pytest.mark.parametrize("backend", ["tensorrt", "cuda"])
@pytest.mark.parametrize("flag", [*REFUSED, *ALWAYS_SO])
def test_no_reason_on_a_gpu_is_that_of_a_cpu(flag, backend):
    refused, always = explain([flag], backend)
    assert len(refused) + len(always) == 1
    if backend == "cuda" or flag not in ("--fp8", "--int4"):  # A plan may lack those formats.
        assert "CPU" not in "".join(refused + always)
    if backend == "tensorrt":
        assert "does not" not in "".join(refused + always)


def test_files_have_trtexecs_keys(tmp_path, small_engine, small, capsys):
    files = {
        name: tmp_path / f"{name}.json" for name in ("Times", "Output", "Profile", "LayerInfo")
    }
    options = [f"--export{name}={path}" for name, path in files.items()]
    run(capsys, "trtexec", f"--loadEngine={small_engine}", "--batch=3", *SHORT, *options)
    content = {name: json.loads(path.read_text()) for name, path in files.items()}
    assert len(content["Times"]) == 12
    assert set(content["Times"][0]) == {
        "startEnqMs", "endEnqMs", "startH2dMs", "endH2dMs", "startComputeMs", "endComputeMs",
        "startD2hMs", "endD2hMs", "h2dMs", "computeMs", "d2hMs", "latencyMs",
    }  # fmt: skip
    for trace in content["Times"]:
        assert trace["startEnqMs"] <= trace["endEnqMs"]
        assert trace["startComputeMs"] <= trace["endComputeMs"]
        assert trace["latencyMs"] == pytest.approx(
            trace["endD2hMs"] - trace["startEnqMs"], abs=1e-3
        )
    (output,) = content["Output"]
    assert (output["name"], output["dimensions"]) == (SCORES, "3x14")
    assert len(output["values"]) == 42
    count, *layers = content["Profile"]
    assert count == {"count": 20}
    assert all(
        set(layer) == {"name", "timeMs", "averageMs", "medianMs", "percentage"} for layer in layers
    )
    assert sum(layer["percentage"] for layer in layers) == pytest.approx(100, abs=0.5)
    assert content["LayerInfo"] == [
        {"name": x.name, "type": x.type, "precision": x.precision, "kernel": x.kernel}
        for x in small.layers(3)
    ]


def test_raw_inputs_give_the_scores_of_infer(tmp_path, small_engine, small, capsys):
    images = small_images(3, 5)
    (tmp_path / "in.raw").write_bytes(images.tobytes())
    load = f"--loadInputs={INPUT}:{tmp_path / 'in.raw'}"
    out = tmp_path / "out.json"
    words = [f"--loadEngine={small_engine}", "--batch=3", load, f"--exportOutput={out}"]
    printed = run(capsys, "trtexec", *words, "--dumpOutput", *SHORT)
    assert "RANDOM" not in printed
    assert f"{SCORES} [3, 14]: " in printed
    (output,) = json.loads(out.read_text())
    values = np.float32(output["values"]).reshape(3, 14)
    np.testing.assert_allclose(values, small.infer(images)[SCORES], rtol=0, atol=1e-7)


def test_saved_engines_are_loaded_again(tmp_path, small_uff, small, capsys):
    path = tmp_path / "saved.engine"
    words = [*from_uff(small_uff), "--batch=2", "--maxBatch=4", f"--saveEngine={path}"]
    built = run(capsys, "trtexec", *words, "--skipInference")
    assert f"wrote {path}" in built
    assert "Average" not in built
    loaded = run(capsys, "trtexec", f"--loadEngine={path}", "--batch=2", *SHORT)
    assert "Throughput" in loaded
    times = run(capsys, "trtexec", f"--loadEngine={path}", "--timeDeserialize")
    assert re.search(rf"first = {NUMBER} ms, then mean of 10 = {NUMBER} ms", times)
    images = small_images(4)
    again = ct.load(path, require_exact_device=True).infer(images)[SCORES]
    np.testing.assert_allclose(again, small.infer(images)[SCORES], rtol=0, atol=1e-6)


def test_streams_and_threads(small_engine, capsys):
    words = ["trtexec", f"--loadEngine={small_engine}", "--streams=2", "--threads", "--json"]
    facts = json.loads(run(capsys, *words, *SHORT))
    assert facts["queries"] >= 12
    assert facts["batch"] == 1
    assert facts["random_input"] is True
    assert set(facts["latency_ms"]["percentiles"]) == {"90", "95", "99"}
    assert facts["latency_ms"]["min"] <= facts["latency_ms"]["median"] <= facts["latency_ms"]["max"]


def test_profile_and_layers_are_printed(small_engine, small, capsys):
    words = ["trtexec", f"--loadEngine={small_engine}", "--dumpProfile", "--dumpLayerInfo"]
    out = run(capsys, *words, "--percentile=50,99.9", "--verbose", *SHORT)
    assert "percentile(50%) = " in out
    assert "percentile(99.9%) = " in out
    assert "=== Profile (20 iterations" in out
    assert any("conv" in layer.name for layer in small.layers(1))
    for layer in small.layers(1):
        assert f"{layer.name}: {layer.type}, {layer.precision}, {layer.kernel}" in out


def test_verbose_shows_the_passes_and_the_graph(small_uff):
    words = ["trtexec", *from_uff(small_uff), "--verbose", "--skipInference"]
    command = [sys.executable, "-m", "chexnet_trt", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "pass fold_batch_norm: 1 rewrites" in done.stderr
    assert "conv2d" in done.stderr
    assert "conv2d" not in done.stdout


def test_a_deterministic_engine_repeats_every_bit(tmp_path, small_uff, capsys):
    target = tmp_path / "net.engine"
    words = ["build", small_uff, "--uffInput", f"{INPUT},3,8,8", "--output", SCORES]
    for flags in ([], ["--deterministic"]):
        run(capsys, *words, "--max-batch", 4, "--threads", 2, "-o", target, *flags)
        engine = ct.load(target)
        assert engine.manifest["build"]["deterministic"] is bool(flags)
    images = small_images(4)
    first = engine.infer(images)[SCORES].tobytes()
    assert all(ct.load(target).infer(images)[SCORES].tobytes() == first for _ in range(3))
    assert all(engine.infer(images)[SCORES].tobytes() == first for _ in range(50))


def test_build_tells_what_it_did(tmp_path, small_pb, capsys):
    target = tmp_path / "net.engine"
    words = ["build", small_pb, "--uffInput", f"{INPUT},3,8,8", "--output", SCORES, "--best"]
    options = ["--max-batch", "4", "--preprocess", "unit", "-o", target]
    out = run(capsys, *words, *options)
    assert "fold_batch_norm 1" in out
    assert re.search(r"^  \* (fp32|bf16|fp16) ", out, re.MULTILINE)
    assert ", ".join(LABELS) in out
    facts = json.loads(run(capsys, *words, *options, "--json"))
    assert facts["engine"] == str(target)
    assert facts["source"]["file"] == "small.pb"
    assert facts["preprocess"]["name"] == "unit"
    assert facts["labels"]["names"] == list(LABELS)
    assert facts["build"]["max_batch"] == 4
    assert {row["precision"] for row in facts["precision"]["candidates"]} >= {"fp32"}


def test_eight_bit_input_gives_the_scores_of_float_input(tmp_path, small_uff, small_engine, capsys):
    rng = np.random.default_rng(3)
    for index in range(3):
        pixels = rng.integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    target = tmp_path / "u8.engine"
    words = ["build", small_uff, "--uffInput", f"{INPUT},3,8,8", "--preprocess", "unit"]
    run(capsys, *words, "--u8-input", "--max-batch", "4", "-o", target)
    assert ct.load(target).inputs[0].element == "uint8"
    scores = []
    for engine in (small_engine, target):
        printed = json.loads(run(capsys, "infer", engine, tmp_path, "--json"))
        assert all(list(image["scores"]) == list(LABELS) for image in printed["images"])
        scores.append([list(image["scores"].values()) for image in printed["images"]])
    np.testing.assert_allclose(*scores, atol=1e-5)
    pixels = np.stack([np.asarray(Image.open(tmp_path / f"{index}.png")) for index in range(3)])
    expected = networks.small_scores(pixels.astype(np.float32) / 255)
    np.testing.assert_allclose(scores[0], expected, atol=1e-5)


def test_inspect_a_network(small_uff, capsys):
    out = run(capsys, "inspect", small_uff)
    assert f"input        {INPUT} float32 [-1, 8, 8, 3]" in out
    assert f"outputs      {SCORES}" in out
    assert "Conv 1" in out
    text = run(capsys, "inspect", small_uff, "--text")
    assert text.startswith("version: 1\n")
    assert 'operation: "BatchNorm"' in text
    facts = json.loads(run(capsys, "inspect", small_uff, "--json"))
    assert facts["outputs"] == [SCORES]
    assert facts["inputs"] == [{"name": INPUT, "shape": [-1, 8, 8, 3], "dtype": "float32"}]
    assert sum(row["bytes"] for row in facts["weights"]) >= 4 * (3 * 3 * 3 * 6 + 4 * 6 + 7 * 14)


def test_inspect_an_engine(small_engine, small, capsys):
    out = run(capsys, "inspect", small_engine, "--layers", "--batch", "2")
    assert "runs         fp32 on openvino, batch 1 to 4" in out
    assert f"input        {INPUT} float32 [-1, 3, 8, 8] nchw" in out
    assert "preprocess   unit" in out
    assert "layers with weights at batch 2" in out
    assert re.search(r"^fp32 .* product$", out, re.MULTILINE)
    assert "all that the backend runs at batch 2" in out
    assert all(f"  {layer.name}  {layer.type}" in out for layer in small.layers(2))
    graph = run(capsys, "inspect", small_engine, "--graph")
    assert graph == small.graph.to_text()
    assert "conv2d" in graph
    assert "batch_norm" not in graph
    manifest = json.loads(run(capsys, "inspect", small_engine, "--manifest"))
    assert manifest == small.manifest
    facts = json.loads(run(capsys, "inspect", small_engine, "--json"))
    assert facts["manifest"] == manifest
    assert facts["graph_sha256"] == manifest["source"]["graph_sha256"]
    assert facts["bytes"] == small_engine.stat().st_size
    assert [row["layer"] for row in facts["weight_layers"]] == ["conv", "product"]


@pytest.fixture
def films(tmp_path):
    folder = tmp_path / "films"
    folder.mkdir()
    for index, image in enumerate(pixels(6)):
        Image.fromarray(image).save(folder / f"{index}.png")
    return folder


@needs_int8
def test_an_int8_engine_from_images(tmp_path, small_uff, films, capsys):
    target, cache = tmp_path / "net.engine", tmp_path / "net.calib"
    words = ["build", small_uff, "--uffInput", f"{INPUT},3,8,8", "--preprocess", "unit", "--int8"]
    words += ["--precision-constraints", "obey", "--calib", cache, "-o", target]
    built = run(capsys, *words, "--calib-data", films)
    assert "  * int8  forced" in built
    assert "    entropy on 6 images, sha256 " in built
    compared = r"against fp32, on images of the calibration itself: score difference .*6 images"
    assert re.search(compared, built)
    table = cache.read_text()
    facts = json.loads(run(capsys, *words, "--calib-data", films, "--json"))
    assert facts["calibration"]["agreement_on_calibration_images"]["images"] == 6
    assert cache.read_text() == table
    out = run(capsys, "inspect", target, "--layers")
    assert "runs         int8 on openvino" in out
    assert "calibration  entropy on 6 images" in out
    for element, layer in (("int8", "conv"), ("uint8", "product")):
        scales = rf"{NUMBER}  {NUMBER} \.\.\. {NUMBER}"
        assert re.search(rf"^int8 +{element} +{scales} .*  {layer}$", out, re.MULTILINE)
    facts = json.loads(run(capsys, "inspect", target, "--json"))
    assert {row["precision"] for row in facts["weight_layers"]} == {"int8"}
    printed = json.loads(run(capsys, "infer", target, films, "--json"))
    assert len(printed["images"]) == 6
    alone = run(capsys, *words)
    assert "not compared with fp32: there were no images; give --calib-data" in alone


@needs_int8
def test_random_ranges_are_stamped_timing_only(tmp_path, small_uff, films, capsys):
    target = tmp_path / "net.engine"
    stamp = "timing only: the int8 ranges are RANDOM, the scores mean nothing"
    words = [*from_uff(small_uff), "--int8", "--random-ranges", "--precisionConstraints=obey"]
    built = run(capsys, "trtexec", *words, f"--saveEngine={target}", *SHORT)
    assert built.count(stamp) == 2  # Of the build, and of the times.
    for words in (["trtexec", f"--loadEngine={target}", *SHORT], ["inspect", target]):
        assert run(capsys, *words).count(stamp) == 1
    facts = json.loads(run(capsys, "trtexec", f"--loadEngine={target}", "--json", *SHORT))
    assert facts["random_ranges"] is True
    assert main(["infer", str(target), str(films)]) == 2
    refused = capsys.readouterr()
    assert refused.out == ""
    assert refused.err == (
        f"chexnet_trt infer: error: '{target}' is for {stamp}; build it with a calibration\n"
    )


def test_best_without_calibration_says_so(tmp_path, small_uff, capsys):
    words = ["build", small_uff, "--uffInput", f"{INPUT},3,8,8", "--best"]
    out = run(capsys, *words, "-o", tmp_path / "net.engine")
    if "int8" in _core.device_precisions("openvino"):
        assert "    int8  no calibration: give --calib-data or --calib" in out
    assert "of the calibration itself" not in out


def test_doctor(capsys):
    text = run(capsys, "doctor")
    facts = json.loads(run(capsys, "doctor", "--json"))
    rows = {row["name"]: row for row in facts["backends"]}
    assert rows["openvino"]["missing"] == ""
    assert "fp32" in rows["openvino"]["precisions"]
    assert set(rows) == {"openvino", "cuda", "tensorrt"}
    for row in rows.values():
        assert f"absent: {row['missing']}" in text if row["missing"] else row["device"] in text
    assert rows["openvino"]["cannot_run"] == ""
    assert facts["packages"]["openvino"] in text
    assert {row["package"] for row in facts["optional"]} >= {"tensorboard", "onnxruntime"}


_WITHOUT_EXTRAS = f"""
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "tensorboard", "onnxruntime", "onnx", "tf2onnx"):
            raise ModuleNotFoundError(f"blocked {{name}}", name=name)

sys.meta_path.insert(0, Blocker())
import chexnet_trt
from chexnet_trt.cli import main

for words in ([], *([name] for name in {COMMANDS!r})):
    try:
        main([*words, "--help"])
    except SystemExit as stop:
        assert stop.code == 0, words
assert main(["doctor"]) == 0
assert main(["inspect", sys.argv[1]]) == 0
assert main(["build", sys.argv[1], "--uffInput", "{INPUT},3,8,8", "-o", sys.argv[3]]) == 0
assert main(["trtexec", "--loadEngine=" + sys.argv[3], "--duration=0"]) == 0
print("refused:", main(["convert", sys.argv[2]]))
"""


def test_only_convert_and_freeze_need_extras(tmp_path, small_uff, small_pb):
    words = [str(small_uff), str(small_pb), str(tmp_path / "out.engine")]
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_EXTRAS, *words], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("refused: 2\n")
    assert "pip install 'chexnet_trt[convert]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_import_brings_no_other_framework():
    code = (
        "import sys, chexnet_trt\n"
        "names = {name.split('.')[0] for name in sys.modules}\n"
        "print(sorted(names & {'openvino', 'tensorflow', 'tensorboard', 'onnxruntime', 'torch'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_closed_pipe_is_no_traceback(small_uff):
    command = f"{sys.executable} -m chexnet_trt inspect --text {small_uff} | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
