"""Writes what the peers of tools/bench_peers.py run in place of the frozen graph, beside it.

MODEL.onnx: by tf2onnx. MODEL.PRESET.nncf.xml and .bin: OpenVINO's own quantisation, by NNCF.
MODEL.PRESET.int8.onnx: ONNX Runtime's static quantisation. Both calibrate on the same random gray
clouds. Files that are there stay: remove them when the model changes.

    python tools/prepare_peers.py model.pb --preprocess imagenet-tf
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from peer_images import CALIBRATION_IMAGES, INPUT, OUTPUT, PRESETS, clouds, fitting_preset

Array = NDArray[Any]


def onnx_file(model: Path, _preset: str) -> Path:
    return model.with_suffix(".onnx")


def nncf_file(model: Path, preset: str) -> Path:
    return model.with_suffix(f".{preset}.nncf.xml")


def onnx_int8_file(model: Path, preset: str) -> Path:
    return model.with_suffix(f".{preset}.int8.onnx")


def write_onnx(model: Path, preset: str) -> None:
    command = [sys.executable, "-m", "tf2onnx.convert", "--graphdef", str(model), "--opset", "17"]
    command += ["--inputs", f"{INPUT}:0", "--outputs", f"{OUTPUT}:0"]
    command += ["--output", str(onnx_file(model, preset))]
    subprocess.run(command, check=True)


def write_nncf(model: Path, preset: str) -> None:
    """Symmetric activations and fast bias correction: NNCF's fastest int8, and its default."""
    import nncf
    import openvino as ov

    network = ov.convert_model(str(model))
    scores = next(port for port in network.outputs if f"{OUTPUT}:0" in port.names)
    network = ov.Model([scores.node], network.get_parameters(), "network")
    network.reshape([-1, *clouds(1, preset).shape[1:]])
    quantized = nncf.quantize(
        network,
        nncf.Dataset(list(_single(preset))),
        preset=nncf.QuantizationPreset.PERFORMANCE,
        subset_size=CALIBRATION_IMAGES,
        fast_bias_correction=True,
    )
    ov.save_model(quantized, nncf_file(model, preset), compress_to_fp16=False)


def write_onnx_int8(model: Path, preset: str) -> None:
    """QDQ, uint8 activations, int8 weights a channel, min-max, as its documentation advises for
    CPUs with VNNI.
    """
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self._images = _single(preset)

        def get_next(self) -> dict[str, Array] | None:
            image = next(self._images, None)
            return None if image is None else {f"{INPUT}:0": image}

    if not onnx_file(model, preset).exists():
        write_onnx(model, preset)
    with tempfile.TemporaryDirectory() as folder:
        folded = Path(folder) / "folded.onnx"
        quantization.quant_pre_process(
            str(onnx_file(model, preset)), str(folded), skip_symbolic_shape=True
        )
        quantization.quantize_static(
            str(folded),
            str(onnx_int8_file(model, preset)),
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod.MinMax,
        )


def _single(preset: str) -> Iterator[Array]:
    images = clouds(CALIBRATION_IMAGES, preset)
    return iter(np.split(images, len(images)))


FILES = {
    "onnx": (onnx_file, write_onnx),
    "nncf": (nncf_file, write_nncf),
    "onnx-int8": (onnx_int8_file, write_onnx_int8),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="frozen graph (.pb)")
    parser.add_argument("--files", nargs="+", default=list(FILES), choices=FILES)
    parser.add_argument(
        "--preprocess", choices=PRESETS, help="default: what the scores say of the network"
    )
    args = parser.parse_args()
    preset = args.preprocess or fitting_preset(args.model)
    for name in args.files:
        path_of, write = FILES[name]
        path = path_of(args.model, preset)
        made = not path.exists()
        if made:
            write(args.model, preset)
        size = sum(
            file.stat().st_size for file in {path, path.with_suffix(".bin")} if file.exists()
        )
        print(f"{path}: {size / 2**20:.1f} MiB{'' if made else ', was there'}")


if __name__ == "__main__":
    main()
