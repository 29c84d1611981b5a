from __future__ import annotations

import builtins
import gzip
import struct

import pytest

from chexnet_trt._core import InputError
from chexnet_trt.records.tfrecord import is_tfrecord, records
from tfrecord_files import example, framed, masked_crc, write_tfrecord

IMAGES = [("a/b/1.png", b"first"), ("2.png", b"second" * 50), ("", b"third")]


@pytest.fixture
def path(tmp_path):
    return write_tfrecord(tmp_path / "x.tfrecord", IMAGES)


def test_names_and_contents(path):
    found = list(records(path))
    assert [record.name for record in found] == [f"{path}[{index}]" for index in range(3)]
    expected = [("1.png", b"first"), ("2.png", b"second" * 50), ("", b"third")]
    assert [record.image() for record in found] == expected


@pytest.mark.tensorflow
def test_files_written_by_tensorflow(tmp_path):
    tf = pytest.importorskip("tensorflow")
    features = {
        "image/encoded": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"\x89PNG"])),
        "image/filename": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"1.png"])),
        "image/class/label": tf.train.Feature(int64_list=tf.train.Int64List(value=[3])),
        "weights": tf.train.Feature(float_list=tf.train.FloatList(value=[0.5, 1])),
    }
    data = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    with tf.io.TFRecordWriter(str(tmp_path / "x.tfrecord")) as writer:
        writer.write(data)
        writer.write(data)
    assert [record.image() for record in records(tmp_path / "x.tfrecord")] == [
        ("1.png", b"\x89PNG")
    ] * 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x.tfrecord", True),
        ("x.tfrecords", True),
        ("x.tfrec", True),
        ("x.tfrecord-00003-of-00010", True),
        ("train-00000-of-00008", True),
        ("x.png", False),
        ("tfrecord.txt", False),
    ],
)
def test_files_are_known_by_name(tmp_path, name, expected):
    assert is_tfrecord(tmp_path / name) == expected


def test_every_truncation_is_an_input_error(path):
    content = path.read_bytes()
    whole = {0}
    for record in records(path):
        whole.add(record.offset + record.size + 4)
    for size in range(len(content)):
        path.write_bytes(content[:size])
        if size in whole:
            assert len(list(records(path))) == sorted(whole).index(size)
        else:
            with pytest.raises(InputError, match=r"x\.tfrecord"):
                list(records(path))


def test_a_wrong_checksum_condemns_its_record_alone(path):
    found = list(records(path))
    content = bytearray(path.read_bytes())
    content[found[1].offset + 30] ^= 1
    path.write_bytes(content)
    found = list(records(path))
    assert found[2].image() == ("", b"third")
    with pytest.raises(InputError, match=r"record '.*x\.tfrecord\[1\]' is damaged: its checksum"):
        found[1].image()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PNG and so on", "is not a TFRecord"),
        (gzip.compress(b"x" * 100), "is a compressed TFRecord"),
        (framed(b"") + b"more and more", "damaged or cut short at record 1"),
        (struct.pack("<Q", 2**62) + masked_crc(struct.pack("<Q", 2**62)), "is not a TFRecord"),
    ],
)
def test_files_that_are_none(path, content, message):
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        list(records(path))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xff", "is not a tf.train.Example"),
        (b"", "has no image/encoded; its features: none"),
        (example(image__raw=b"x", label=b"y"), "its features: image/raw, label"),
        (example(image__encoded=b""), "has no image/encoded"),
    ],
)
def test_records_without_an_image(path, data, message):
    path.write_bytes(framed(data))
    (record,) = records(path)
    with pytest.raises(InputError, match=message):
        record.image()


def test_without_the_packages_the_message_says_what_to_install(path, monkeypatch):
    original = builtins.__import__

    def absent(name, *rest):
        if name == "google_crc32c":
            raise ImportError(name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(InputError, match=r"pip install 'chexnet_trt\[tfrecord\]'"):
        list(records(path))
