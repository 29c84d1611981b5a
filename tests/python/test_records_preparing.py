from __future__ import annotations

import io
import shutil
import tarfile

import numpy as np
import pytest
from PIL import Image

from chexnet_trt import nih
from chexnet_trt._core import InputError
from chexnet_trt.labels import LABELS
from chexnet_trt.preprocess import preset
from chexnet_trt.records import open_dataset
from chexnet_trt.records.preparing import prepare
from nih_files import HEADER_2017, TABLE_2017, TABLE_2020, rows, write_data_set, write_table

SIZE = 12


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data set, not to be changed."""
    folder = tmp_path_factory.mktemp("nih")
    write_data_set(folder)
    rng = np.random.default_rng(0)
    for path in folder.rglob("*.png"):
        Image.fromarray(rng.integers(0, 256, (20, 18), np.uint8)).save(path)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "nih")


def run(folder, output, **options):
    return prepare(folder, output, **{"image_size": SIZE, "jobs": 2} | options)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def archived(folder, number):
    """images_NNN/ as images_NNN.tar.gz with images/x.png in it, as NIH has them."""
    name = f"images_{number:03}"
    with tarfile.open(folder / f"{name}.tar.gz", "w:gz") as tar:
        tar.add(folder / name / "images", "images")
    shutil.rmtree(folder / name)
    return folder / f"{name}.tar.gz"


def test_pixels_labels_and_facts_are_those_of_the_source(made, tmp_path):
    prepared = run(made, tmp_path / "records")
    assert prepared.missing == 0
    assert prepared.table == made / TABLE_2020
    dataset = open_dataset(tmp_path / "records")
    dataset.verify()
    assert not dataset.synthetic
    entries = {entry.image: entry for entry in nih.read_entries(made / TABLE_2020)}
    preprocessing = preset("raw", SIZE, SIZE, 1)
    files = nih.image_paths(made, entries)
    lists = {"train": "train_val_list.txt", "validation": "train_val_list.txt"}
    for split in dataset.splits:
        allowed = nih.read_split(made / lists.get(split, "test_list.txt"))
        for example in dataset.examples(split):
            entry = entries.pop(example.name)
            assert example.name in allowed
            assert {LABELS[n] for n in np.flatnonzero(example.labels)} == entry.findings
            assert (example.patient, example.view) == (entry.patient, entry.view)
            assert example.follow_up == entry.follow_up
            pixels = Image.open(io.BytesIO(example.encoded))
            expected = preprocessing.pixels(files[example.name])[:, :, 0]
            assert np.array_equal(pixels, expected)
    assert not entries


def test_jobs_and_archives_do_not_change_a_byte(folder, tmp_path):
    run(folder, tmp_path / "a", jobs=1)
    run(folder, tmp_path / "b", jobs=5)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    archived(folder, 1)
    run(folder, tmp_path / "c")
    assert contents(tmp_path / "a") == contents(tmp_path / "c")
    archived(folder, 2)
    run(folder, tmp_path / "d")
    assert contents(tmp_path / "a") == contents(tmp_path / "d")
    run(folder, tmp_path / "e", seed=1)
    assert contents(tmp_path / "a") != contents(tmp_path / "e")


def test_the_table_of_2017(folder, tmp_path):
    table = [[*row[:4], "060Y", *row[5:]] for row in rows()]
    run(folder, tmp_path / "new")
    write_table(folder / TABLE_2017, table, HEADER_2017)
    prepared = run(folder, tmp_path / "old", entries=folder / TABLE_2017)
    assert prepared.table.name == prepared.dataset.description.source["entries"] == TABLE_2017
    old, new = (
        [e.labels.tolist() for e in open_dataset(tmp_path / name).examples("test")]
        for name in ("old", "new")
    )
    assert old == new


def test_a_random_split_needs_no_lists(folder, tmp_path):
    (folder / "test_list.txt").unlink()
    with pytest.raises(InputError, match=r"there is no '.*test_list\.txt'; add it, or use --s"):
        run(folder, tmp_path / "records")
    dataset = run(folder, tmp_path / "records", split="random", shards=1).dataset
    dataset.verify()
    assert [len(split.shards) for split in dataset.splits.values()] == [1, 1, 1]


def test_colours_sixteen_bits_and_other_formats(folder, tmp_path):
    """RGBA as a few of NIH's files are; JPEG under a table that says PNG."""
    paths = sorted(folder.rglob("*.png"))
    pixels = np.random.default_rng(1).integers(0, 256, (20, 18, 4), np.uint8)
    Image.fromarray(pixels).save(paths[0])
    deep = np.random.default_rng(2).integers(0, 65536, (20, 18), np.uint16)
    Image.fromarray(deep).save(paths[1])
    Image.fromarray(pixels[:, :, 0]).save(paths[2].with_suffix(".jpg"))
    paths[2].unlink()
    dataset = run(folder, tmp_path / "records", split="random").dataset
    examples = {e.name: e for split in dataset.splits for e in dataset.examples(split)}
    sources = [pixels[:, :, :3], deep, paths[2].with_suffix(".jpg")]
    for path, source in zip(paths, sources, strict=False):
        found = np.asarray(Image.open(io.BytesIO(examples[path.name].encoded)), np.float32)
        expected = preset("raw", SIZE, SIZE, 1).pixels(source)[:, :, 0]
        assert np.abs(found - expected).max() <= 0.51


def test_a_leaking_list_is_refused(folder, tmp_path):
    """Of patient 5, whose images are for the test, one in the training list."""
    first, second = [row[0] for row in rows() if row[3] == "5"][:2]
    for name in ("train_val_list.txt", "test_list.txt"):
        images = (folder / name).read_text().split()
        images = [image for image in images if image != first]
        (folder / name).write_text("\n".join([first] * ("train" in name) + images))
    with pytest.raises(InputError, match=rf"leakage: '{second}' of test_list\.txt and '{first}'"):
        run(folder, tmp_path / "records")
    assert not (tmp_path / "records").exists()


def test_missing_images(folder, tmp_path):
    lost = sorted(folder.rglob("*.png"), key=lambda path: path.name)[3:6]
    for path in lost:
        path.unlink()
    first = lost[0].name
    with pytest.raises(InputError, match=rf"^3 of \d+ images are missing, the first '{first}'"):
        run(folder, tmp_path / "records")
    prepared = run(folder, tmp_path / "records", allow_missing=True)
    assert prepared.missing == 3
    source = open_dataset(tmp_path / "records").description.source
    assert (source["allow_missing"], source["missing"]) == (True, 3)
    prepared.dataset.verify()
    images = sum(split.images for split in prepared.dataset.splits.values())
    assert images == len(rows()) - 3
    for path in folder.rglob("*.png"):
        path.unlink()
    with pytest.raises(InputError, match=r"images are missing"):
        run(folder, tmp_path / "none", allow_missing=True)


def test_a_table_that_is_cut_short(folder, tmp_path):
    write_table(folder / TABLE_2020, rows()[:-3])
    first = rows()[-3][0]
    message = rf"^2 images of '.*train_val_list\.txt' have no labels, the first '{first}'; give"
    with pytest.raises(InputError, match=message):
        run(folder, tmp_path / "records")
    assert not (tmp_path / "records").exists()
    dataset = run(folder, tmp_path / "records", allow_missing=True).dataset
    assert sum(split.images for split in dataset.splits.values()) == len(rows()) - 3


def test_images_that_cannot_be_read_are_named(folder, tmp_path):
    paths = sorted(folder.rglob("*.png"))
    paths[1].write_bytes(b"no image")
    archive = archived(folder, 1)
    paths[-1].write_bytes(b"")
    with pytest.raises(InputError) as error:
        run(folder, tmp_path / "records")
    first, *rest = str(error.value).splitlines()
    assert first == "images that cannot be used:"
    assert len(rest) == 2
    assert f"{archive}:images/{paths[1].name}' is not an image" in str(error.value)
    assert f"{paths[-1]}' is not an image" in str(error.value)
    assert not (tmp_path / "records").exists()


def test_a_broken_archive(folder, tmp_path):
    archive = archived(folder, 1)
    whole = archive.read_bytes()
    for content in (whole[: len(whole) // 2], b"no archive", whole[:-4000] + bytes(4000)):
        archive.write_bytes(content)
        with pytest.raises(InputError, match=r"images_001\.tar\.gz' is damaged or cut short \("):
            run(folder, tmp_path / "records")


def test_synthetic_data_stays_marked(folder, tmp_path):
    (folder / "SYNTHETIC.txt").write_text("drawn")
    assert run(folder, tmp_path / "records").dataset.synthetic
    table = (folder / TABLE_2020).rename(tmp_path / "elsewhere.csv")
    above = run(tmp_path, tmp_path / "above", entries=table, split="random")
    assert above.dataset.synthetic


def test_an_image_that_comes_twice_in_an_archive_counts_once(folder, tmp_path):
    expected = contents(run(folder, tmp_path / "once").dataset.folder)
    archive = archived(folder, 1)
    with tarfile.open(archive) as tar:
        members = [(member, tar.extractfile(member).read()) for member in tar if member.isfile()]
    with tarfile.open(archive, "w:gz") as tar:
        for member, content in members + members[:3]:
            tar.addfile(member, io.BytesIO(content))
    dataset = run(folder, tmp_path / "twice").dataset
    dataset.verify()
    assert contents(dataset.folder) == expected


def test_an_output_in_use_is_refused_before_anything_is_read(tmp_path):
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "file").touch()
    with pytest.raises(InputError, match=r"records' is not empty"):
        run(tmp_path / "nothing", tmp_path / "records")
    with pytest.raises(InputError, match=r"nothing' has no Data_Entry"):
        run(tmp_path / "nothing", tmp_path / "new")


def test_dicom_files_under_a_table_that_says_png(folder, tmp_path):
    pytest.importorskip("pydicom")
    import dicom_files

    path = min(folder.rglob("*.png"))
    stored = np.random.default_rng(3).integers(0, 4096, (20, 18), np.uint16)
    dicom_files.save(dicom_files.film(stored, 12), path.with_suffix(".dcm"))
    path.unlink()
    dataset = run(folder, tmp_path / "records", split="random").dataset
    (example,) = (
        e for split in dataset.splits for e in dataset.examples(split) if e.name == path.name
    )
    found = np.asarray(Image.open(io.BytesIO(example.encoded)), np.float32)
    expected = preset("raw", SIZE, SIZE, 1).pixels(path.with_suffix(".dcm"))[:, :, 0]
    assert np.abs(found - expected).max() <= 0.51


def test_progress_counts_every_image(made, tmp_path):
    calls = []
    run(made, tmp_path / "records", progress=lambda *call: calls.append(call))
    count = len(rows())
    assert calls == [("preparing", done, count) for done in range(1, count + 1)]
