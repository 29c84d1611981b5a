from __future__ import annotations

import json

import pytest

from chexnet_trt._core import InputError
from chexnet_trt.labels import LABELS, canonical_names, canonicalise, read_labels


def test_order_is_the_whitepapers():
    assert len(LABELS) == len(set(LABELS)) == 14
    assert (LABELS[0], LABELS[2], LABELS[7], LABELS[13]) == (
        "Cardiomegaly",
        "Effusion",
        "Pleural_Thickening",
        "Pneumothorax",
    )


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Effussion", "Effusion"),
        ("PT", "Pleural_Thickening"),
        (" pleural  thickening ", "Pleural_Thickening"),
        ("Pleural-Thickening", "Pleural_Thickening"),
        ("Infiltrate", "Infiltration"),
        ("HERNIA", "Hernia"),
    ],
)
def test_aliases(name, label):
    assert canonicalise(name) == label


def test_unknown_name_gets_the_nearest():
    with pytest.raises(InputError, match=r"'Cardiomegly' .* nearest is Cardiomegaly"):
        canonicalise("Cardiomegly")


def test_other_label_sets_stay_as_they_are_but_findings_must_be_right():
    assert canonical_names(["cat", "dog"]) == ("cat", "dog")
    with pytest.raises(InputError, match="'dog' is not one of the 14"):
        canonical_names(["Mass", "dog"])
    with pytest.raises(InputError, match="'Effusion' comes twice"):
        canonical_names(["Effusion", "Effussion"])


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(["Mass", "PT"]),
        json.dumps({"1": "PT", "0": "Mass"}),
        "Mass\n\n PT \r\n",
        "\ufeffMass\nPT\n",
    ],
)
def test_label_files(tmp_path, text):
    path = tmp_path / "labels"
    path.write_text(text, encoding="utf-8")
    assert read_labels(path) == ("Mass", "Pleural_Thickening")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'["Mass", 3]', "every label must be a string"),
        (b'{"0": "Mass", "2": "PT"}', 'must be "0" to "1"'),
        (b'["Mass"', "broken JSON"),
        (b"\n \n", "has no labels"),
        (b"\xff\xfe\x00", "is not text"),
    ],
)
def test_broken_label_files(tmp_path, content, message):
    path = tmp_path / "labels.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        read_labels(path)
    assert "labels.json" in str(error.value)


def test_missing_label_file(tmp_path):
    with pytest.raises(InputError, match="cannot read the label file"):
        read_labels(tmp_path / "none.json")
