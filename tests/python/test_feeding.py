from __future__ import annotations

import io
import itertools
import shutil
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from chexnet_trt._core import InputError
from chexnet_trt.feeding import batches, check_apart, open_source
from chexnet_trt.image_feed import ImageFeed
from chexnet_trt.preprocess import preset
from record_files import write_records
from tfrecord_files import write_tfrecord

SPEC = SimpleNamespace(name="input_tensor", shape=(-1, 3, 6, 8), layout="nchw", element="float32")
UNIT = preset("unit", 8, 6, 3)
FEED = ImageFeed(SPEC, UNIT)
PIXELS = np.random.default_rng(0).integers(0, 256, (7, 9, 11), np.uint8)


def values(source, batch=3, feed=FEED, **options):
    parts = list(batches(source, feed, batch, **options))
    assert all(len(part) == batch for part in parts[:-1])
    return np.concatenate(parts)


EXPECTED = np.stack([UNIT.apply(pixels, "nchw") for pixels in PIXELS])


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "films"
    path.mkdir()
    for index, pixels in enumerate(PIXELS):
        Image.fromarray(pixels).save(path / f"{index}.png")
    return path


def named(folder):
    return [(path.name, path.read_bytes()) for path in sorted(folder.iterdir())]


def test_every_kind_of_source_feeds_the_same(folder, tmp_path):
    files = sorted(folder.iterdir())
    (tmp_path / "list.txt").write_text("# films\n" + "\n".join(f"films/{f.name}" for f in files))
    table = "Finding Labels,Image Index\n" + "".join(f"Mass,{f.name}\n" for f in files)
    (tmp_path / "table.csv").write_text(table)
    write_tfrecord(tmp_path / "all.tfrecord", named(folder))
    shards = tmp_path / "shards"
    shards.mkdir()
    write_tfrecord(shards / "train-00000-of-00002", named(folder)[:4])
    write_tfrecord(shards / "train-00001-of-00002", named(folder)[4:])
    np.save(tmp_path / "films.npy", PIXELS)
    np.savez(tmp_path / "films.npz", images=PIXELS)
    arrays = [PIXELS, list(PIXELS), iter(PIXELS), [PIXELS[:5, :, :, None], PIXELS[5:, :, :, None]]]
    preprocessed = [EXPECTED, iter(EXPECTED), iter([EXPECTED[:2], EXPECTED[2:]])]
    paths = [folder, str(folder), files, tmp_path / "list.txt", tmp_path / "table.csv",
             str(folder / "*.png"), tmp_path / "all.tfrecord", shards, str(shards / "train-*"),
             sorted(shards.iterdir()),
             tmp_path / "films.npy", tmp_path / "films.npz"]  # fmt: skip
    for data in (*paths, *arrays, *preprocessed):
        source = open_source(data)
        assert len(source) == 7, data
        assert np.array_equal(values(source), EXPECTED), data
        assert np.array_equal(values(source, batch=7), EXPECTED), data


def test_of_a_records_folder_the_training_images_are_fed(tmp_path):
    dataset = write_records(tmp_path / "records")
    fed = values(open_source(tmp_path / "records"))
    expected = [
        UNIT.apply(np.asarray(Image.open(io.BytesIO(example.encoded))), "nchw")
        for example in dataset.examples("train")
    ]
    assert np.array_equal(fed, expected)


def test_the_digest_is_of_names_and_contents_wherever_they_lie(folder, tmp_path):
    digest = open_source(folder).digest()
    assert len(bytes.fromhex(digest)) == 32
    assert open_source(sorted(folder.iterdir(), reverse=True)).digest() == digest
    assert open_source(shutil.copytree(folder, tmp_path / "deeper" / "copy")).digest() == digest
    for name, rows in {"a": named(folder), "b": named(folder)[::-1]}.items():
        write_tfrecord(tmp_path / f"{name}.tfrecord", rows)
        assert open_source(tmp_path / f"{name}.tfrecord").digest() == digest
    (folder / "0.png").rename(folder / "renamed.png")
    renamed = open_source(folder).digest()
    Image.fromarray(PIXELS[0] ^ 1).save(folder / "renamed.png")
    assert len({digest, renamed, open_source(folder).digest()}) == 3


def test_the_digest_of_arrays_is_of_their_values_and_shapes(tmp_path):
    np.save(tmp_path / "films.npy", PIXELS)
    digest = open_source(PIXELS).digest()
    assert open_source(tmp_path / "films.npy").digest() == digest
    assert open_source(PIXELS[::-1]).digest() == digest
    assert open_source(PIXELS.reshape(7, 11, 9)).digest() != digest
    assert open_source(PIXELS.astype(np.uint16)).digest() != digest


def test_a_limit_takes_the_first_and_the_digest_is_theirs(folder, tmp_path):
    write_tfrecord(tmp_path / "all.tfrecord", named(folder))
    np.save(tmp_path / "films.npy", PIXELS)
    endless = itertools.cycle(PIXELS)
    batched = iter([PIXELS[..., None]])
    for data in (folder, tmp_path / "all.tfrecord", tmp_path / "films.npy", endless, batched):
        source = open_source(data, limit=4)
        assert len(source) == 4
        assert np.array_equal(values(source), EXPECTED[:4])
    first = open_source(sorted(folder.iterdir())[:4]).digest()
    assert open_source(folder, limit=4).digest() == first != open_source(folder).digest()


def test_bytes_for_an_engine_that_preprocesses_itself(folder):
    spec = SimpleNamespace(**vars(SPEC) | {"element": "uint8"})
    feed = ImageFeed(spec, preset("raw", 8, 6, 3))
    fed = values(open_source(folder), feed=feed)
    assert fed.dtype == np.uint8
    assert np.allclose(fed / 255, EXPECTED, atol=0.51 / 255)


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_threads_do_not_change_the_order(folder, threads):
    assert np.array_equal(values(open_source(folder), threads=threads), EXPECTED)


def test_decoding_runs_ahead_but_not_without_bound(folder):
    """While the consumer holds the first batch, two more and no more are decoded."""
    decoded = threading.Semaphore(0)

    class Feed(ImageFeed):
        def values(self, image):
            try:
                return super().values(image)
            finally:
                decoded.release()

    source = open_source([PIXELS[index % 7] for index in range(40)])
    stream = batches(source, Feed(SPEC, UNIT), 4)
    next(stream)
    for _ in range(12):
        assert decoded.acquire(timeout=30)
    assert not decoded.acquire(timeout=0.2)
    stream.close()


def test_closing_early_stops_the_threads(folder):
    before = threading.active_count()
    stream = batches(open_source(list(PIXELS) * 20), FEED, 2)
    next(stream)
    assert threading.active_count() > before
    stream.close()
    assert threading.active_count() == before


def test_every_bad_image_is_named_at_once(folder):
    (folder / "1.png").write_bytes(b"no image")
    (folder / "5.png").write_bytes((folder / "5.png").read_bytes()[:60])
    seen = []
    with pytest.raises(InputError) as error:
        seen.extend(batches(open_source(folder), FEED, 1))
    assert len(seen) == 1
    first, *rest = str(error.value).splitlines()
    assert first == "2 of 7 images cannot be used:"
    assert "1.png' is not an image that can be read" in rest[0]
    assert "cannot read the image" in rest[1]
    assert "5.png" in rest[1]
    assert len(rest) == 2


def test_one_bad_image_is_one_line():
    bad = EXPECTED.copy()
    bad[3] = np.inf
    with pytest.raises(
        InputError, match=r"^one of 7 images .*: the array\[3\]: .*infinite"
    ) as error:
        values(open_source(bad))
    assert "\n" not in str(error.value)


def test_a_missing_preprocessing_is_said_once(folder):
    with pytest.raises(InputError, match=r"^nothing says how images become"):
        values(open_source(folder), feed=ImageFeed(SPEC, None))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros((5, 4, 3), np.uint8), "not several images"),
        (np.zeros((5, 4), np.uint8), "not several images"),
        (np.zeros((2, 5, 4), np.int64), "holds int64"),
        (np.zeros((0, 5, 4), np.uint8), "holds no image"),
        ([], "holds no image"),
        ([np.zeros((5, 4), np.uint8), "a.png"], "arrays, or paths"),
        ([3], "arrays, or paths"),
        ("missing", "'missing' does not exist"),
        ("missing-*.png", r"no file matches 'missing-\*\.png'"),
        ("missing.npy", "cannot read 'missing.npy': No such file"),
        ("missing.tfrecord", "cannot read 'missing.tfrecord': No such file"),
    ],
)
def test_data_that_is_none(data, message):
    with pytest.raises(InputError, match=message):
        open_source(data)


def test_numpy_files_that_are_none(tmp_path):
    np.savez(tmp_path / "two.npz", a=PIXELS, b=PIXELS)
    with pytest.raises(InputError, match="must hold one array; it holds a, b"):
        open_source(tmp_path / "two.npz")
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "whole.npy", PIXELS)
    (tmp_path / "cut.npy").write_bytes((tmp_path / "whole.npy").read_bytes()[:300])
    (tmp_path / "text.npy").write_text("no array")
    (tmp_path / "empty.npz").touch()
    np.savez_compressed(tmp_path / "whole.npz", PIXELS)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:300])
    shutil.copy(tmp_path / "whole.npz", tmp_path / "zip.npy")
    for name in ("objects.npy", "cut.npy", "text.npy", "zip.npy", "empty.npz", "cut.npz"):
        with pytest.raises(InputError, match=rf"'.*{name}' is not a NumPy file of numbers"):
            open_source(tmp_path / name)


def test_a_folder_of_both_kinds_is_not_guessed(folder):
    write_tfrecord(folder / "all.tfrecord", named(folder))
    with pytest.raises(InputError, match="holds TFRecords and images"):
        open_source(folder)


def test_an_image_of_both_sources_is_refused(folder, tmp_path):
    paths = sorted(folder.iterdir())
    renamed = shutil.copy(paths[5], tmp_path / "another.png")
    with pytest.raises(InputError, match=r"^1 of the 3 images .* own, the first '5\.png'"):
        check_apart(open_source([*paths[:2], renamed]), open_source(paths[3:]))


def test_a_name_of_both_sources_is_warned_of(folder, tmp_path, caplog):
    paths = sorted(folder.iterdir())
    check_apart(open_source(paths[:3]), open_source(paths[3:]))
    check_apart(open_source(PIXELS), open_source(paths))
    assert not caplog.messages
    small = tmp_path / "4.jpg"
    Image.open(paths[4]).resize((5, 5)).save(small)
    check_apart(open_source([*paths[:3], small]), open_source(paths[3:]))
    (message,) = caplog.messages
    assert message.startswith("1 of the 4 images to calibrate with have names of the gate's images")
    assert "'4.jpg'" in message
