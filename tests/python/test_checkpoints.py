from __future__ import annotations

import shutil

import numpy as np
import pytest

from chexnet_trt._core import InputError
from chexnet_trt.models.variables import variable_shapes

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.tensorflow

from chexnet_trt.export.checkpoints import find_checkpoint, load_weights, read_weights  # noqa: E402
from chexnet_trt.models.tensorflow_network import TensorFlowNetwork  # noqa: E402

v1 = tf.compat.v1
RESNET = variable_shapes("resnet50_v2", 14)


def save_tensorflow_1(prefix, shapes, scope="resnet_model", finite=True):
    """As the official training saves: variables, momentum slots, the step. Returns the values."""
    rng = np.random.default_rng(5)
    values = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    if not finite:
        next(iter(values.values())).flat[0] = np.nan
    with tf.Graph().as_default(), v1.Session() as session:
        for name, value in values.items():
            renamed = name.replace("resnet_model", scope, 1)
            v1.get_variable(renamed, initializer=value, use_resource=False)
        weights = v1.global_variables()
        loss = tf.add_n([tf.reduce_sum(weight) for weight in weights[:8]])
        step = v1.train.get_or_create_global_step()
        v1.train.MomentumOptimizer(0.1, 0.9).minimize(loss, step)
        v1.train.AdamOptimizer().minimize(loss)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(prefix), global_step=step, write_meta_graph=False)
    return values


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    folder = tmp_path_factory.mktemp("official")
    return folder, save_tensorflow_1(folder / "model.ckpt", variable_shapes("resnet50_v2", 1001))


def test_the_official_checkpoint_restores_completely(official):
    folder, values = official
    checkpoint = read_weights(folder)
    assert checkpoint.prefix == folder / "model.ckpt-0"
    assert {name: checkpoint.shapes[name] for name in values} == {
        name: value.shape for name, value in values.items()
    }
    weights = load_weights(folder, RESNET, new_head=True)
    assert "1001 classes" in weights.notice
    assert len(weights.values) == len(RESNET) - 2
    network = TensorFlowNetwork("resnet50_v2", image_size=64)
    network.assign(weights.values)
    for name, variable in network.weights_by_name.items():
        if "/dense/" not in name:
            assert np.array_equal(variable.numpy(), values[name]), name
    whole = load_weights(folder, variable_shapes("resnet50_v2", 1001))
    assert whole.notice is None


def test_a_wrong_scope_prints_the_difference(tmp_path):
    values = save_tensorflow_1(tmp_path / "model.ckpt", RESNET, scope="tower/resnet")
    with pytest.raises(InputError) as raised:
        load_weights(tmp_path, RESNET)
    message = str(raised.value)
    assert "0 of its 251 variables found; missing: resnet_model/conv2d/kernel" in message
    assert "not used: tower/resnet/" in message
    assert "Momentum" not in message
    assert message.endswith("give --checkpoint_scope=tower/resnet")
    restored = load_weights(tmp_path, RESNET, scope="tower/resnet").values
    assert all(np.array_equal(restored[name], values[name]) for name in RESNET)


def test_ours_by_objects(tmp_path):
    network = TensorFlowNetwork("densenet121", image_size=32)
    optimizer = tf.keras.optimizers.Adam()
    optimizer.build(network.trainable_variables)
    checkpoint = tf.train.Checkpoint(network=network, optimizer=optimizer)
    tf.train.CheckpointManager(checkpoint, str(tmp_path), 2).save()
    network.weights_by_name["conv1/bn/beta"].assign(np.full(64, 2.5))
    tf.train.CheckpointManager(checkpoint, str(tmp_path / "best"), 1).save()
    shapes = variable_shapes("densenet121", 14)
    assert dict(read_weights(tmp_path).shapes) == shapes
    best = load_weights(tmp_path, shapes).values
    assert (best["conv1/bn/beta"] == 2.5).all()
    assert not load_weights(tmp_path / "ckpt-1", shapes).values["conv1/bn/beta"].any()


def test_which_checkpoint_of_a_folder(official, tmp_path):
    folder, _ = official
    for path in folder.glob("model.ckpt-0.*"):
        for step in (3, 20):
            shutil.copy(path, tmp_path / path.name.replace("-0.", f"-{step}.", 1))
    assert find_checkpoint(tmp_path).name == "model.ckpt-20"
    # As in a published archive: the file names a folder of its author.
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "/data/author/model.ckpt-3"\n')
    assert find_checkpoint(tmp_path).name == "model.ckpt-20"
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-3"\n')
    assert find_checkpoint(tmp_path).name == "model.ckpt-3"
    assert find_checkpoint(tmp_path / "model.ckpt-3.index").name == "model.ckpt-3"
    assert find_checkpoint(tmp_path / "model.ckpt-20.data-00000-of-00001").name == "model.ckpt-20"


def test_what_is_no_checkpoint(tmp_path):
    with pytest.raises(InputError, match=r"no checkpoint in .*no file there ends in \.index"):
        read_weights(tmp_path)
    with pytest.raises(InputError, match=r"no checkpoint .*gone.*give a folder"):
        read_weights(tmp_path / "gone")
    (tmp_path / "model.ckpt-1.index").write_bytes(b"no table" * 20)
    with pytest.raises(InputError, match="cannot read the checkpoint"):
        read_weights(tmp_path)


def test_damaged_data_and_values_that_are_not_finite(official, tmp_path):
    folder, _ = official
    for path in folder.glob("model.ckpt-0.*"):
        shutil.copy(path, tmp_path)
    data = tmp_path / "model.ckpt-0.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 64] = bytes(64)
    data.write_bytes(content)
    with pytest.raises(InputError, match=r"cannot read 'resnet_model/.*model\.ckpt-0"):
        load_weights(tmp_path, RESNET, new_head=True)
    save_tensorflow_1(tmp_path / "nan", {"resnet_model/conv2d/kernel": (7, 7, 3, 64)}, finite=False)
    with pytest.raises(InputError, match=r"conv2d/kernel' of .*nan-0' holds NaN"):
        read_weights(tmp_path / "nan-0").read("resnet_model/conv2d/kernel")


def test_objects_of_another_program(tmp_path):
    path = tf.train.Checkpoint(model=tf.Variable([1.0])).write(str(tmp_path / "keras"))
    with pytest.raises(InputError, match=r"under other objects .*SavedModel"):
        read_weights(path)
