from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from chexnet_trt._core import InputError
from chexnet_trt.labels import LABELS
from chexnet_trt.records import DatasetWriter, open_dataset
from chexnet_trt.records.tfrecord import framed
from record_files import SOURCE, examples, write_records
from tfrecord_files import example


@pytest.fixture
def folder(tmp_path):
    write_records(tmp_path / "records")
    return tmp_path / "records"


def edit(folder, change):
    path = folder / "dataset.json"
    fields = json.loads(path.read_text())
    change(fields)
    path.write_text(json.dumps(fields))


def test_what_was_written_is_read(folder):
    dataset = open_dataset(folder)
    assert dataset.labels == LABELS
    assert dataset.synthetic
    assert dataset.image_size == 16
    for split, patients in {"train": 6, "validation": 3, "test": 3}.items():
        expected = examples(split, patients)
        found = list(dataset.examples(split))
        for one, other in zip(found, expected, strict=True):
            assert np.array_equal(one.labels, other.labels)
            fields = {"labels": None}
            assert dataclasses.replace(one, **fields) == dataclasses.replace(other, **fields)
        facts = dataset.splits[split]
        assert (facts.images, facts.patients) == (2 * patients, patients)
        counts = np.sum([example.labels for example in expected], axis=0)
        assert list(facts.positives.items()) == list(zip(LABELS, counts, strict=True))
        assert [path.name for path in dataset.shards(split)] == [
            f"{split}-00000-of-00002.tfrecord",
            f"{split}-00001-of-00002.tfrecord",
        ]


def test_the_files_depend_on_the_order_and_not_on_when_an_image_came(tmp_path):
    found = {split: examples(split, 2) for split in ("train", "validation", "test")}
    order = {split: [e.name for e in rows] for split, rows in found.items()}
    for name, step in {"a": 1, "b": -1}.items():
        writer = DatasetWriter(
            tmp_path / name, order, image_size=16, synthetic=True, source=SOURCE, shards=3
        )
        with writer:
            for split in list(found)[::step]:
                for row in found[split][::step]:
                    writer.add(split, row)
            writer.finish()
    a, b = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "ab")
    assert len(a) == 10
    assert a == b


@pytest.mark.parametrize(("images", "expected"), [(3, 3), (8, 4), (4001, 5), (90_000, 64)])
def test_default_number_of_shards(tmp_path, images, expected):
    order = {"train": [str(index) for index in range(images)], "validation": [], "test": []}
    row = examples("train", 1)[0]
    with DatasetWriter(
        tmp_path / "records", order, image_size=16, synthetic=True, source=SOURCE
    ) as writer:
        for name in order["train"] if images < 10 else order["train"][:1]:
            writer.add("train", dataclasses.replace(row, name=name))
        written = {path.name.split(".")[0] for path in (tmp_path / "records").iterdir()}
    assert f"train-00000-of-{expected:05}" in written


def test_unfinished_work_is_removed_or_known(tmp_path):
    order = {"train": ["a"], "validation": [], "test": []}
    options = {"image_size": 16, "synthetic": True, "source": SOURCE}
    row = dataclasses.replace(examples("train", 1)[0], name="a")
    with DatasetWriter(tmp_path / "a", order, **options) as writer:
        writer.add("train", row)
        assert (tmp_path / "a").exists()
    assert not (tmp_path / "a").exists()
    DatasetWriter(tmp_path / "b", order, **options).add("train", row)  # and killed
    (left,) = (tmp_path / "b").iterdir()
    assert left.name == "train-00000-of-00001.tfrecord.unfinished"
    with pytest.raises(InputError, match=r"no dataset\.json.*`prepare` did not finish"):
        open_dataset(tmp_path / "b")
    with pytest.raises(InputError, match=r"b' is not empty"):
        DatasetWriter(tmp_path / "b", order, **options)
    with pytest.raises(InputError, match=r"cannot write to '.*unfinished': Not a directory"):
        DatasetWriter(left, order, **options)
    with pytest.raises(InputError, match="there is no folder"):
        open_dataset(tmp_path / "c")


SHARD = "validation-00001-of-00002.tfrecord"


def truncate(path):
    path.write_bytes(path.read_bytes()[:-5])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def lose_a_record(path):
    row = examples("validation", 3)[3]
    path.write_bytes(framed(row.serialise(16)))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncate, f"{SHARD}' is cut short in record 2"),
        (flip, f"{SHARD}' has changed since it was written: its sha256"),
        (lose_a_record, f"{SHARD}' has 1 records; its dataset.json says 3"),
        (lambda path: path.unlink(), f"lacks the shard '{SHARD}'"),
        (
            lambda path: path.with_name("validation-00002-of-00003.tfrecord").touch(),
            r"validation-00002-of-00003\.tfrecord' is no shard of its folder's dataset\.json",
        ),
    ],
)
def test_damaged_shards(folder, damage, message):
    dataset = open_dataset(folder)
    calls = []
    dataset.verify(progress=lambda *call: calls.append(call))
    assert calls[-1] == ("verifying", 24, 24)
    damage(folder / SHARD)
    with pytest.raises(InputError, match=message):
        dataset.verify()
    with pytest.raises(InputError, match=message):
        dataset.verify(["validation"])
    dataset.verify(["train", "test"])
    if damage is not flip:
        with pytest.raises(InputError, match=message):
            list(dataset.examples("validation"))


def test_examples_name_a_damaged_record(folder):
    flip(folder / SHARD)
    with pytest.raises(InputError, match=rf"{SHARD}\[1\]' is damaged: its checksum is wrong"):
        list(open_dataset(folder).examples("validation"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"patients": 5}, "train of '.*' has 6 patients; its dataset.json says 5"),
        ({"positives": dict.fromkeys(LABELS, 0)}, r"images with Cardiomegaly; its dataset\.json"),
    ],
)
def test_wrong_counts(folder, fields, message):
    edit(folder, lambda content: content["splits"]["train"].update(fields))
    with pytest.raises(InputError, match=message):
        open_dataset(folder).verify()


def test_leakage_is_found_behind_right_checksums(tmp_path):
    """A patient or an image in two splits, in a folder whose description fits its shards."""
    train = examples("train", 4)
    patient = [dataclasses.replace(train[0], name="other.png"), *examples("test", 2)]
    write_records(tmp_path / "patient", train=train, test=patient).verify(["train", "validation"])
    with pytest.raises(InputError) as error:
        open_dataset(tmp_path / "patient").verify()
    assert str(error.value) == (
        f"leakage: 'other.png' of test and '{train[0].name}' of train are of one patient; a "
        "patient's images belong in one split"
    )
    image = [dataclasses.replace(train[0], patient="999"), *examples("test", 2)]
    write_records(tmp_path / "image", train=train, test=image)
    with pytest.raises(InputError, match=rf"'{train[0].name}' comes twice, in train and test"):
        open_dataset(tmp_path / "image").verify()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(format_version=2), "is of format 2, newer than this version reads"),
        (lambda c: c.update(format_version="x"), "format_version 'x'"),
        (lambda c: c["labels"].reverse(), "its labels are not the 14 findings in this version's"),
        (lambda c: c.update(resize="nearest"), "unknown resize kernel 'nearest'"),
        (lambda c: c.update(image_size=0), "0 is not a number of 1 or more"),
        (lambda c: c.update(synthetic="no"), "'no' is not of type bool"),
        (lambda c: c.pop("source"), "lacks 'source'"),
        (lambda c: c["splits"].pop("test"), "lacks 'test'"),
        (lambda c: c["splits"]["test"]["positives"].pop("Hernia"), "lacks 'Hernia'"),
        (lambda c: c["splits"]["test"].update(images=7), "test hold 6 records, not 7"),
        (lambda c: c["splits"]["test"].update(patients=7), "fewer images than patients"),
        (lambda c: c["splits"]["test"].update(shards=3), "is malformed"),
        (
            lambda c: c["splits"]["test"]["shards"][0].update(file="../test-0"),
            r"'\.\./test-0' is not the name of a shard of test",
        ),
        (
            lambda c: c["splits"]["test"]["shards"].__setitem__(
                1, c["splits"]["test"]["shards"][0]
            ),
            "a shard of test is listed twice",
        ),
    ],
)
def test_broken_descriptions(folder, change, message):
    edit(folder, change)
    with pytest.raises(InputError, match=rf"records/dataset\.json' .*{message}"):
        open_dataset(folder)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_descriptions_that_are_no_json(folder, content):
    (folder / "dataset.json").write_bytes(content)
    with pytest.raises(InputError, match="is not the JSON of a data set"):
        open_dataset(folder)


@pytest.mark.parametrize(
    "data",
    [
        example(image__encoded=b"x"),
        examples("train", 1)[0].serialise(16).replace(b"patient", b"patiens"),
        dataclasses.replace(examples("train", 1)[0], labels=np.full(14, 2)).serialise(16),
        dataclasses.replace(examples("train", 1)[0], labels=np.zeros(13, int)).serialise(16),
    ],
    ids=["image alone", "no patient", "label 2", "13 labels"],
)
def test_records_that_prepare_did_not_write(folder, data):
    (folder / "test-00000-of-00002.tfrecord").write_bytes(framed(data))
    with pytest.raises(InputError, match=r"tfrecord\[0\]' is no labelled image of `prepare`; its"):
        next(open_dataset(folder).examples("test"))


def test_an_unknown_split(folder):
    with pytest.raises(InputError, match="there is no split 'val'; there are train, valid"):
        open_dataset(folder).shards("val")


@pytest.mark.tensorflow
def test_tensorflow_reads_the_same(folder):
    tf = pytest.importorskip("tensorflow")
    dataset = open_dataset(folder)
    features = {
        "image/encoded": tf.io.FixedLenFeature([], tf.string),
        "image/filename": tf.io.FixedLenFeature([], tf.string),
        "image/format": tf.io.FixedLenFeature([], tf.string),
        "image/height": tf.io.FixedLenFeature([], tf.int64),
        "image/class/label": tf.io.FixedLenFeature([14], tf.int64),
        "patient": tf.io.FixedLenFeature([], tf.string),
        "view": tf.io.FixedLenFeature([], tf.string),
        "follow_up": tf.io.FixedLenFeature([], tf.int64),
    }
    records = tf.data.TFRecordDataset([str(path) for path in dataset.shards("train")])
    for record, expected in zip(records, dataset.examples("train"), strict=True):
        found = {
            name: value.numpy()
            for name, value in tf.io.parse_single_example(record, features).items()
        }
        assert found["image/encoded"] == expected.encoded
        assert found["image/filename"].decode() == expected.name
        assert (found["image/format"], found["image/height"]) == (b"png", 16)
        assert np.array_equal(found["image/class/label"], expected.labels)
        assert (found["patient"].decode(), found["view"].decode()) == (
            expected.patient,
            expected.view,
        )
        assert found["follow_up"] == expected.follow_up
        assert tf.io.decode_png(found["image/encoded"]).shape == (16, 16, 1)
