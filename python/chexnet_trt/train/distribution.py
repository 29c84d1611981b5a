"""Which devices and machines a training runs on, from what the environment says."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from chexnet_trt._core import BackendError, InputError

_ROLES = ("chief", "worker")


@dataclass(frozen=True)
class Cluster:
    """TF_CONFIG of synchronous training: the workers' addresses, and which of them this one is."""

    addresses: tuple[str, ...]
    index: int


@dataclass(frozen=True)
class Distribution:
    """`strategy`: of tf.distribute. `worker`: which of the `workers` this process is."""

    strategy: Any
    worker: int
    workers: int
    description: str

    @property
    def is_chief(self) -> bool:
        """Whether this process writes files and reports."""
        return self.worker == 0

    @property
    def replicas(self) -> int:
        return int(self.strategy.num_replicas_in_sync)

    @property
    def has_gpu(self) -> bool:
        return bool(tf.config.list_logical_devices("GPU"))


def read_cluster(environment: Mapping[str, str]) -> Cluster | None:
    """The cluster of TF_CONFIG; None without one, and for a cluster of one machine.

    Raises InputError that says what is wrong with TF_CONFIG.
    """
    text = environment.get("TF_CONFIG", "").strip()
    if not text:
        return None
    try:
        config = json.loads(text)
        cluster, task = config.get("cluster") or {}, config.get("task") or {}
        addresses = {role: list(cluster[role]) for role in _ROLES if role in cluster}
        others = sorted(set(cluster).difference(_ROLES))
        role, index = task.get("type", "worker"), task.get("index", 0)
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"TF_CONFIG is not the JSON of a cluster: {error}") from None
    if others:
        raise InputError(f"TF_CONFIG has '{others[0]}' tasks; training is by workers alone")
    everyone = [address for role in _ROLES for address in addresses.get(role, ())]
    if len(everyone) < 2:
        return None
    if not all(isinstance(address, str) and _has_port(address) for address in everyone):
        raise InputError(f"TF_CONFIG: the workers must be HOST:PORT, not {everyone}")
    if len(set(everyone)) < len(everyone):
        raise InputError(f"TF_CONFIG names a worker twice: {everyone}")
    if len(addresses.get("chief", ())) > 1:
        raise InputError("TF_CONFIG has more than one chief")
    if role not in addresses or type(index) is not int or not 0 <= index < len(addresses[role]):
        raise InputError(f"TF_CONFIG: this task, {role} {index}, is not one of its cluster")
    return Cluster(tuple(everyone), everyone.index(addresses[role][index]))


def _has_port(address: str) -> bool:
    return address.rpartition(":")[2].isdigit() and not address.startswith(":")


def choose_distribution() -> Distribution:
    """Workers of TF_CONFIG, else all GPUs of this machine, else its CPU.

    To be called before TensorFlow runs anything. Raises InputError for a broken TF_CONFIG and
    BackendError when the cluster does not come together.
    """
    cluster = read_cluster(os.environ)
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    if cluster:
        return _workers(cluster, len(gpus))
    if len(gpus) > 1:
        return Distribution(tf.distribute.MirroredStrategy(), 0, 1, f"{len(gpus)} GPUs")
    if gpus:
        return Distribution(tf.distribute.OneDeviceStrategy("/gpu:0"), 0, 1, "one GPU")
    cores = len(os.sched_getaffinity(0))
    return Distribution(tf.distribute.get_strategy(), 0, 1, f"CPU, {cores} cores")


def _workers(cluster: Cluster, gpus: int) -> Distribution:
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    except (tf.errors.OpError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BackendError(f"the workers of TF_CONFIG did not come together: {reason}") from None
    count = len(cluster.addresses)
    devices = f"{gpus} GPUs each" if gpus else "CPU"
    description = f"worker {cluster.index + 1} of {count}, {devices}"
    return Distribution(strategy, cluster.index, count, description)
