from __future__ import annotations

import subprocess
import sys

import pytest

from chexnet_trt._core import InputError
from chexnet_trt.tensorflow_import import import_tensorflow


@pytest.mark.tensorflow
def test_tensorflow_is_quiet():
    pytest.importorskip("tensorflow")
    code = (
        "from chexnet_trt.tensorflow_import import import_tensorflow\n"
        "import_tensorflow('a test')\n"
        "import sys, tensorflow as tf\n"
        "assert tf.constant(1) + 1 == 2\n"
        "sys.stderr.write('standard error works')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "standard error works")


def test_without_tensorflow_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(InputError, match=r"train needs TensorFlow: pip install 'chexnet_trt\[tra"):
        import_tensorflow("train")
