from __future__ import annotations

import pytest

from chexnet_trt._core import InputError
from chexnet_trt.export.matching import match
from chexnet_trt.models.variables import variable_shapes

RESNET = variable_shapes("resnet50_v2", 14)
IMAGENET = variable_shapes("resnet50_v2", 1001)


def renamed(shapes, old, new):
    return {new + name.removeprefix(old): shape for name, shape in shapes.items()}


def refusal(found, expected=RESNET, **options):
    with pytest.raises(InputError) as raised:
        match(found, expected, source="the checkpoint 'x'", **options)
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_equal_names():
    found = match(RESNET, RESNET, source="x")
    assert found.names == {name: name for name in RESNET}
    assert found.notice is None


def test_the_head_of_imagenet_is_left_out_by_rule():
    found = match(IMAGENET, RESNET, source="x", new_head=True)
    assert set(RESNET) - set(found.names) == {
        "resnet_model/dense/kernel",
        "resnet_model/dense/bias",
    }
    assert found.notice == (
        "left out: 'resnet_model/dense' has 1001 classes in the checkpoint and 14 here; "
        "it starts at random and has to be trained"
    )
    assert "resnet_model/dense/kernel [2048, 1001] instead of [2048, 14]" in refusal(IMAGENET)


def test_a_fitting_head_is_kept_and_half_a_head_is_an_error():
    assert match(RESNET, RESNET, source="x", new_head=True).names == {n: n for n in RESNET}
    headless = {name: shape for name, shape in RESNET.items() if "dense" not in name}
    assert "is not in the checkpoint" in match(headless, RESNET, source="x", new_head=True).notice
    half = headless | {"resnet_model/dense/kernel": (2048, 14)}
    assert "missing: resnet_model/dense/bias" in refusal(half, new_head=True)


def test_one_missing_variable_is_an_error_even_with_a_new_head():
    found = dict(IMAGENET)
    del found["resnet_model/batch_normalization_3/beta"]
    message = refusal(found, new_head=True)
    assert "missing: resnet_model/batch_normalization_3/beta" in message
    assert "248 of its 249 variables found" in message
    assert "--checkpoint_scope" not in message


@pytest.mark.parametrize(
    ("scope", "there"),
    [
        ("model/resnet_model/", "begin with 'model/resnet_model/'"),
        ("resnet/", "begin with 'resnet/'"),
        ("", "have no scope before 'conv2d/kernel'"),
    ],
)
def test_another_scope_is_recognised_and_the_advice_works(scope, there):
    found = renamed(RESNET, "resnet_model/", scope)
    message = refusal(found)
    assert "0 of its 251 variables found" in message
    assert (
        "missing: resnet_model/conv2d/kernel, resnet_model/batch_normalization/gamma, "
        "resnet_model/batch_normalization/beta and 248 more"
    ) in message
    assert f"not used: {scope}conv2d/kernel" in message
    advice = f"{there} where 'resnet_model/' is expected: give --checkpoint_scope="
    assert message.endswith(advice + scope.rstrip("/"))
    names = match(found, RESNET, source="x", scope=message.rpartition("=")[2]).names
    assert names["resnet_model/conv2d/kernel"] == f"{scope}conv2d/kernel"


def test_what_an_optimizer_saved_is_passed_over():
    found = renamed(RESNET, "resnet_model/", "")
    slots = {f"{name}/{slot}": shape for name, shape in found.items() for slot in ("Adam", "Mine")}
    strays = {"train/conv2d/kernel/Momentum_1": (7, 7, 3, 64), "global_step": (), "beta1_power": ()}
    assert refusal(found | slots | strays) == refusal(found)
    assert match(RESNET | slots | strays, RESNET, source="x").names == {n: n for n in RESNET}


def test_a_network_without_a_scope():
    densenet = variable_shapes("densenet121", 14)
    message = refusal(renamed(densenet, "", "densenet121/"), densenet)
    assert message.endswith(
        "begin with 'densenet121/' where no scope is expected: give --checkpoint_scope=densenet121"
    )


def test_another_network_gets_no_advice():
    message = refusal(variable_shapes("densenet121", 14))
    assert "0 of its 251 variables found" in message
    assert "give" not in message
