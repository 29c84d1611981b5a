from __future__ import annotations

import random
import shutil

import pytest

from chexnet_trt._core import InputError
from chexnet_trt.choose import choose
from chexnet_trt.feeding import open_source
from chexnet_trt.image_lists import image_files
from chexnet_trt.labels import LABELS
from nih_files import TABLE_2017, TABLE_2020, write_data_set, write_table


@pytest.fixture
def folder(tmp_path):
    write_data_set(tmp_path)
    return tmp_path


def names(choice):
    return [file.name for file in choice.files]


def patients(choice):
    return [file.name[:8] for file in choice.files]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [14, 60, 96])
def test_training_patients_once_each_with_every_finding(folder, count, seed):
    choice = choose(folder, count, seed)
    assert len(choice.files) == count == len(set(patients(choice)))
    assert names(choice) == sorted(names(choice))
    assert not any(int(patient) % 5 == 0 for patient in patients(choice))
    assert set(choice.findings) == set(LABELS)
    assert "00000007_000.png" in names(choice)


def test_the_counts_are_those_of_the_files(folder):
    choice = choose(folder, 60)
    table = {row[0]: row for row in write_data_set(folder)}
    labels = [table[name][1] for name in names(choice)]
    for label in LABELS:
        assert choice.findings[label] == sum(label in text.split("|") for text in labels)
    assert choice.views["AP"] == sum(table[name][6] == "AP" for name in names(choice))


def test_views_in_the_shares_of_the_training_images(folder):
    table = [row for row in write_data_set(folder) if int(row[3]) % 5]
    share = sum(row[6] == "AP" for row in table) / len(table)
    one_a_patient = {row[3]: row for row in reversed(table)}.values()
    assert 0.2 < share < 0.6
    assert abs(sum(row[6] == "AP" for row in one_a_patient) / len(one_a_patient) - share) > 0.03
    choice = choose(folder, 60)
    assert choice.views["AP"] == pytest.approx(60 * share, abs=1)
    assert choice.views["AP"] + choice.views["PA"] == 60


def test_the_seed_alone_changes_the_choice(folder, tmp_path_factory):
    first = choose(folder, 50, seed=1)
    assert names(choose(folder, 50, seed=1)) == names(first)
    assert names(choose(folder, 50, seed=2)) != names(first)
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(folder, other, dirs_exist_ok=True)
    table = write_data_set(folder)
    random.Random(0).shuffle(table)
    write_table(other / TABLE_2020, table)
    train = (folder / "train_val_list.txt").read_text().split()
    (other / "train_val_list.txt").write_text("\n".join(reversed(train)))
    for path in sorted(other.glob("images_001/images/*")):
        path.rename(other / path.name)
    assert names(choose(other, 50, seed=1)) == names(first)


def test_a_patient_with_a_test_image_is_no_training_patient(folder):
    train, test = folder / "train_val_list.txt", folder / "test_list.txt"
    leaked = next(row for row in write_data_set(folder) if row[3] == "1")
    test.write_text(test.read_text() + "\n" + leaked[0])
    assert leaked[0] in train.read_text()
    assert "00000001" not in patients(choose(folder, 95))
    test.unlink()
    assert "00000001" in patients(choose(folder, 96))


def test_only_images_that_are_there(folder):
    for path in sorted(folder.glob("images_002/images/*")):
        if path.name != "00000007_000.png":
            path.unlink()
    choice = choose(folder, 40)
    assert all(file.exists() for file in choice.files)
    for path in sorted(folder.glob("images_00*/images/*")):
        path.unlink()
    with pytest.raises(InputError, match=r"none of the images of train_val_list\.txt lies under"):
        choose(folder, 40)


def test_the_list_is_read_from_anywhere(folder, tmp_path_factory):
    choice = choose(folder, 50, seed=3)
    for place in (folder / "list.txt", tmp_path_factory.mktemp("lists") / "list.txt"):
        choice.save(place)
        head, *rest = place.read_text().splitlines()
        assert head == f"# 50 training images of {TABLE_2020}, one a patient, seed 3"
        assert rest[0].startswith("# views: AP ")
        assert "Hernia 1," in rest[1]
        assert not any(line.startswith("/") for line in rest)
        assert [file.resolve() for file in image_files([place])] == list(choice.files)
        assert open_source(place).digest() == open_source(choice.files).digest()


def test_the_table_is_named(folder):
    (folder / TABLE_2020).rename(folder / TABLE_2017)
    assert choose(folder, 20).table == TABLE_2017


def test_a_finding_that_no_image_shows_is_named(folder):
    table = [row for row in write_data_set(folder) if row[3] != "7"]
    for row in table:
        row[1] = row[1].replace("Mass", "Nodule").replace("Nodule|Nodule", "Nodule")
    write_table(folder / TABLE_2020, table)
    with pytest.raises(InputError, match=r"shows Hernia, Mass; all 14"):
        choose(folder, 50)


@pytest.mark.parametrize("count", [13, 97, 500])
def test_counts_that_cannot_be(folder, count):
    with pytest.raises(InputError, match=rf"cannot choose {count} images .* give 14, .* to 96,"):
        choose(folder, count)


@pytest.mark.parametrize("name", [TABLE_2020, "train_val_list.txt"])
def test_files_that_are_missing(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=r"has no Data_Entry|cannot read .*train_val_list"):
        choose(folder, 50)


def test_drawn_films_are_said_to_be(folder, tmp_path):
    assert not any("SYNTHETIC" in line for line in choose(folder, 20).describe())
    (folder / "SYNTHETIC.txt").write_text("drawn")
    choice = choose(folder, 20)
    choice.save(tmp_path / "list.txt")
    assert "# SYNTHETIC films, drawn by a program\n" in (tmp_path / "list.txt").read_text()
    assert len(image_files([tmp_path / "list.txt"])) == 20
