from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.tensorflow
pytest.importorskip("tensorflow")

# Two replicas on a CPU; the loss is weight * factor, each replica having its own factor.
TWO_REPLICAS = """
from pathlib import Path
from chexnet_trt.tensorflow_import import import_tensorflow
import_tensorflow("a test")
import tensorflow as tf
from chexnet_trt.train.optimizers import Optimizer
from chexnet_trt.train.settings import Settings
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
settings = Settings(
    Path(), Path(), dtype="mixed_float16", optimizer="momentum", learning_rate=0.5)
with strategy.scope():
    weight = tf.Variable(1.0, aggregation=tf.VariableAggregation.MEAN)
    optimizer = Optimizer(settings, [weight])
step = tf.function(lambda factors: strategy.run(
    lambda factor: optimizer.minimise(lambda: weight * factor), (factors,)))
for factors in ((0.25, 0.75), (1.0, 1e38), (1e38, 1.0)):
    step(strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(factors[context.replica_id_in_sync_group])))
    print(weight.numpy(), optimizer.checkpointed.dynamic_scale.value.numpy())
"""


def test_an_overflow_on_one_replica_skips_the_step_on_all():
    command = [sys.executable, "-c", TWO_REPLICAS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout == "0.5 32768.0\n0.5 16384.0\n0.5 8192.0\n", done.stderr[-2000:]
