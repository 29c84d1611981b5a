from __future__ import annotations

import json
from pathlib import Path

import pytest

import networks
from chexnet_trt import build, cli
from chexnet_trt.compare import accuracy
from chexnet_trt.compare.networks import Compared
from chexnet_trt.models.networks import NETWORKS

MODES = "native-fp32,native-int8,native-fp16,cuda-int8"


@pytest.fixture(scope="module")
def quick(tmp_path_factory, small_pb):
    """`compare --quick` of the small network: the file, and the command that wrote it."""
    path = tmp_path_factory.mktemp("compare") / "run.json"
    command = ["compare", str(small_pb), "--quick", "--preprocess", "unit", "-o", str(path)]
    command += ["--modes", MODES]
    assert cli.main(command) == 0
    return path, command


def test_a_quick_comparison_is_whole(quick):
    result = json.loads(quick[0].read_text())
    keys = {cell["entry"] for cell in result["summary"]["cells"] if "median" in cell}
    assert "custom/native-fp32" in keys
    kinds = [(one["kind"], one["batch"], one["turn"]) for one in result["rounds"]]
    assert kinds == [(kind, batch, turn) for kind, batch in BLOCKS for turn in (0, 1)]
    assert result["environment"]["pinned_to"]
    assert result["scores"]["truth"] == "custom/native-fp32"
    assert "custom/native-fp32" in result["scenarios"]["server"]


BLOCKS = (("batch", 1), ("batch", 2), ("file", 1))


def test_the_command_is_kept_without_folders(quick):
    result = json.loads(quick[0].read_text())
    assert result["command"].startswith("python -m chexnet_trt compare small.pb --batches 1,2 ")
    assert (
        f"--modes {MODES.replace('native-int8,native-fp16', 'native-fp16,native-int8')}"
        in (result["command"])
    )


def test_what_is_missing_stays_with_its_reason(quick):
    result = json.loads(quick[0].read_text())
    missing = {row["key"]: row["missing"] for row in result["entries"]}
    assert "too small" in missing["stock/native-int8"]
    for cell in result["summary"]["cells"]:
        assert ("median" in cell) is (missing[cell["entry"]] is None)
        assert cell.get("missing") == missing[cell["entry"]]


def test_what_is_random_or_drawn_is_said(quick):
    settings = json.loads(quick[0].read_text())["settings"]
    assert settings["input"].startswith("RANDOM")
    assert settings["film"].startswith("SYNTHETIC")


def test_the_same_command_measures_nothing_again(quick, capsys):
    path, command = quick
    before = json.loads(path.read_text())
    assert cli.main([*command, "--latency-target", "9"]) == 0
    after = json.loads(path.read_text())
    assert after["rounds"] == before["rounds"]
    assert after["sessions"] == before["sessions"]
    assert after["summary"]["target"]["target_ms"] == 9
    assert "native engine fp32" in capsys.readouterr().out.lower()


def test_an_interrupted_comparison_goes_on(quick, tmp_path):
    path, command = quick
    whole = json.loads(path.read_text())
    kept = whole["rounds"][:3]
    begun = tmp_path / "run.json"
    fields = {key: value for key, value in whole.items() if key != "summary"}
    begun.write_text(json.dumps(fields | {"rounds": kept, "scenarios": {}}))
    command = [str(begun) if part == str(path) else part for part in command]
    work = ["--work", str(path.with_suffix(".work"))]
    assert cli.main([*command, *work]) == 0
    result = json.loads(begun.read_text())
    assert result["rounds"][:3] == kept
    assert len(result["rounds"]) == len(whole["rounds"])
    assert len(result["sessions"]) == 2


def test_other_settings_are_refused(quick, capsys):
    _, command = quick
    assert cli.main([*command, "--rounds", "3"]) == 2
    assert "other settings (rounds 2, now 3)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.pb"], "cannot read 'nothing.pb'"),
        (["NET", "--modes", "warp"], "no mode 'warp'"),
        (["NET", "--batches", "0"], "--batches"),
        (["NET", "--round-seconds", "nan"], "--round-seconds"),
        (["NET", "--film", "nothing.png"], "no such file"),
        (["NET", "--image-size", "64"], "has its own"),
        (["NET", "--threads", "4096"], "may use"),
        (["NET", "--engine", "nothing.engine"], "nothing.engine"),
        (["NET", "--data", "nothing/"], "nothing"),
    ],
)
def test_mistakes_are_one_line(tmp_path, small_pb, capsys, arguments, words):
    arguments = [str(small_pb) if part == "NET" else part for part in arguments]
    output = tmp_path / "run.json"
    try:
        status = cli.main(["compare", *arguments, "--preprocess", "unit", "-o", str(output)])
    except SystemExit as error:
        status = error.code
    assert status == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not output.exists()


RECORD = {
    "split": "test",
    "n": 400,
    "synthetic": True,
    "macro": {"auroc": 0.96, "ci_lo": 0.95, "ci_hi": 0.97, "delta_vs_fp32": -0.0004},
    "per_class": {
        "Mass": {"delta_vs_fp32": -0.002, "flip_rate": 0.004},
        "Hernia": {"delta_vs_fp32": 0.001, "flip_rate": None},
    },
    "gate": {"passed": True},
}


def test_an_engine_is_timed_in_place_with_its_record(tmp_path, small_uff, small_pb):
    engine = networks.build_small(small_uff)
    engine.manifest = engine.manifest | {"accuracy": RECORD}
    engine.save(tmp_path / "gated.engine")
    command = ["compare", str(small_pb), "--quick", "--preprocess", "unit", "--no-stock"]
    command += ["--modes", "native-fp32", "--engine", str(tmp_path / "gated.engine")]
    assert cli.main([*command, "-o", str(tmp_path / "run.json")]) == 0
    result = json.loads((tmp_path / "run.json").read_text())
    assert result["settings"]["engines"] == {"native-fp32": "gated.engine"}
    (entry,) = result["entries"]
    assert entry["missing"] is None
    assert entry["accuracy"]["gate"] == "passed"
    assert entry["accuracy"]["worst_class_delta"] == -0.002
    assert entry["accuracy"]["most_flips_percent"] == 0.4
    assert entry["accuracy"]["synthetic"]


def of_size(size):
    return Compared("a network", Path("net.pb"), "0" * 64, (size, size, 3), "weights of the file")


def test_an_engine_of_another_network_is_refused(tmp_path, small_pb):
    inputs = {networks.INPUT: (3, 8, 8)}
    built = build(small_pb, inputs=inputs, outputs=[networks.SCORES])
    built.save(tmp_path / "other.engine")
    with pytest.raises(accuracy.InputError, match=r"another network than net\.pb"):
        accuracy.of_engines([str(tmp_path / "other.engine")], of_size(8))


def test_an_engine_of_another_input_is_refused(small_engine):
    with pytest.raises(accuracy.InputError, match="build it from the network that is compared"):
        accuracy.of_engines([str(small_engine)], of_size(256))


def test_an_engine_without_a_record_has_none(small_engine):
    found = accuracy.of_engines([str(small_engine)], of_size(8))
    assert found["native-fp32"]["accuracy"] is None
    with pytest.raises(accuracy.InputError, match="both native-fp32"):
        accuracy.of_engines([str(small_engine)] * 2, of_size(8))


def test_networks_may_be_named(capsys):
    with pytest.raises(SystemExit):
        cli.main(["compare", "--help"])
    text = capsys.readouterr().out
    assert all(name in text for name in NETWORKS)
