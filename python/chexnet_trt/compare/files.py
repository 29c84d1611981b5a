"""What some modes run or need beside the frozen graph, written once into the work folder.

    python -m chexnet_trt.compare.files NAME    with the setting as JSON on standard input

A process of its own each: what their tools load must not be in a process that is measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chexnet_trt._core import InputError
from chexnet_trt.compare.setting import INPUT, OUTPUT, Setting

Array = NDArray[Any]


def path_of(name: str, setting: Setting) -> Path:
    return setting.work / FILES[name][0]


def write_onnx(setting: Setting, target: Path) -> None:
    command = [sys.executable, "-m", "tf2onnx.convert", "--graphdef", str(setting.model)]
    command += ["--opset", "17", "--inputs", f"{INPUT}:0", "--outputs", f"{OUTPUT}:0"]
    _run([*command, "--output", str(target)])


def write_nncf(setting: Setting, target: Path) -> None:
    """Symmetric activations and fast bias correction: NNCF's fastest int8, and its default."""
    import nncf
    import openvino as ov

    network = ov.convert_model(str(setting.model))
    scores = next(port for port in network.outputs if f"{OUTPUT}:0" in port.names)
    network = ov.Model([scores.node], network.get_parameters(), "network")
    network.reshape([-1, *setting.size])
    images = list(_single(setting))
    quantized = nncf.quantize(
        network,
        nncf.Dataset(images),
        preset=nncf.QuantizationPreset.PERFORMANCE,
        subset_size=len(images),
        fast_bias_correction=True,
    )
    ov.save_model(quantized, target, compress_to_fp16=False)


def write_onnx_int8(setting: Setting, target: Path) -> None:
    """QDQ, uint8 activations, int8 weights a channel, min-max, as its documentation advises for
    CPUs with VNNI.
    """
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._images = _single(setting)

        def get_next(self) -> dict[str, Array] | None:
            image = next(self._images, None)
            return None if image is None else {f"{INPUT}:0": image}

    source = path_of("onnx", setting)
    if not source.exists():
        write("onnx", setting)
    with tempfile.TemporaryDirectory() as folder:
        folded = Path(folder) / "folded.onnx"
        quantization.quant_pre_process(str(source), str(folded), skip_symbolic_shape=True)
        quantization.quantize_static(
            str(folded),
            str(target),
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod.MinMax,
        )


def write_ranges(setting: Setting, target: Path) -> None:
    """Our calibration table, by entropy."""
    import chexnet_trt as ct

    images = np.ascontiguousarray(np.load(setting.calibration).transpose(0, 3, 1, 2))
    ct.calibrate(setting.model, images, threads=setting.threads, **setting.network).write(
        str(target)
    )


Writer = Callable[[Setting, Path], None]
FILES: dict[str, tuple[str, Writer]] = {
    "onnx": ("network.onnx", write_onnx),
    "onnx-int8": ("network.int8.onnx", write_onnx_int8),
    "nncf": ("network.nncf.xml", write_nncf),
    "ranges": ("network.calib", write_ranges),
}


def write(name: str, setting: Setting) -> None:
    """Writes under another name first: what has the right one is whole."""
    target = path_of(name, setting)
    partial = target.with_name(f"partial-{target.name}")
    FILES[name][1](setting, partial)
    for suffix in (".bin", target.suffix):  # A network of OpenVINO is two files.
        if partial.with_suffix(suffix).exists():
            partial.with_suffix(suffix).replace(target.with_suffix(suffix))


def ensure(name: str, setting: Setting) -> None:
    """Has the file written where there is none. Raises InputError with the tool's last words."""
    if path_of(name, setting).exists():
        return
    program = [sys.executable, "-m", "chexnet_trt.compare.files", name]
    _run(program, json.dumps(setting.to_json()))


def _run(command: list[str], standard_input: str = "") -> None:
    done = subprocess.run(command, capture_output=True, text=True, input=standard_input)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise InputError(last.removeprefix(f"{InputError.__module__}.{InputError.__name__}: "))


def _single(setting: Setting) -> Iterator[Array]:
    images = np.load(setting.calibration)
    return iter(np.split(images, len(images)))


if __name__ == "__main__":
    write(sys.argv[1], Setting.from_json(json.load(sys.stdin)))
