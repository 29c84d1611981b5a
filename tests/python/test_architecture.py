"""Holds the arrows of the design: includes and imports point one way."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What each folder of cpp/ may include, besides itself.
ALLOWED = {
    "common": set(),
    "images": {"common"},
    "graph": {"common"},
    "uff": {"common", "graph"},
    "passes": {"common", "graph"},
    "calibration": {"common", "graph"},
    "backends": {"common", "graph"},
    "plan": {"common"},
    "engine": {"common", "graph", "uff", "passes", "calibration", "backends", "plan"},
    "bench": {"common", "backends", "engine"},
    "c_api": {"common", "backends", "plan", "engine"},
    "tensorflow_op": set(),
    "bindings": {
        "common",
        "images",
        "graph",
        "uff",
        "passes",
        "calibration",
        "backends",
        "plan",
        "engine",
        "bench",
    },
}

# A third-party header, and the only folder of cpp/ that may include it.
CONFINED = {
    "openvino/": "backends/openvino",
    "cuda_": "backends/cuda",
    "pybind11/": "bindings",
    "tensorflow/": "tensorflow_op",
    "absl/": "tensorflow_op",
}

INCLUDE = re.compile(r'^\s*#include\s+[<"]([^>"]+)[>"]', re.MULTILINE)
HEAVY = re.compile(
    r"^(?:import|from) "
    r"(tensorflow|tensorboard|openvino|onnxruntime|matplotlib|pydicom|google|google_crc32c|tensorrt"
    r"|tensorrt_rtx|cuda)\b",
    re.MULTILINE,
)

# What is TensorFlow's through and through may import it at the top; light commands do not load it.
TENSORFLOW_HOMES = (
    "export/",
    "integrated/",
    "train/",
    "models/tensorflow_layers.py",
    "models/tensorflow_network.py",
)


def sources() -> list[Path]:
    suffixes = {".cpp", ".hpp", ".cu", ".cuh"}
    return sorted(path for path in (ROOT / "cpp").rglob("*") if path.suffix in suffixes)


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_includes_point_one_way(path: Path):
    folder = path.relative_to(ROOT / "cpp").parts[0]
    for include in INCLUDE.findall(path.read_text()):
        target = include.split("/")[0]
        if target in ALLOWED:
            assert target in ALLOWED[folder] | {folder}, f"{folder} must not include {include}"
        for prefix, home in CONFINED.items():
            if include.startswith(prefix):
                assert home in str(path), f"{include} belongs to cpp/{home} alone"


def test_every_folder_has_a_rule():
    folders = {path.name for path in (ROOT / "cpp").iterdir() if path.is_dir()}
    assert folders <= set(ALLOWED)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "python").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_heavy_packages_are_imported_where_they_are_used(path: Path):
    heavy = set(HEAVY.findall(path.read_text()))
    if path.relative_to(ROOT / "python" / "chexnet_trt").as_posix().startswith(TENSORFLOW_HOMES):
        heavy -= {"tensorflow", "google"}  # Protobuf comes with it.
    assert heavy == set()


def test_light_commands_do_not_load_tensorflow():
    code = (
        "import sys\n"
        "import chexnet_trt, chexnet_trt.models, chexnet_trt.cli as cli\n"
        "for name in cli.COMMANDS: cli._command(name)\n"
        "print([m for m in sys.modules if m.split('.')[0] in"
        " ('tensorflow', 'tensorboard', 'tensorrt', 'tensorrt_rtx', 'cuda')])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_progress_is_called_with_is_said_once():
    paths = (ROOT / "python").rglob("*.py")
    assert [p.name for p in paths if "Callable[[str, int, int], None]" in p.read_text()] == [
        "progress.py"
    ]
