from __future__ import annotations

import pytest

from chexnet_trt import nih
from chexnet_trt._core import InputError
from nih_files import HEADER_2017, HEADER_2020, TABLE_2017, TABLE_2020, rows, write_table


@pytest.mark.parametrize("header", [HEADER_2017, HEADER_2020], ids=["2017", "2020"])
def test_both_headers(tmp_path, header):
    table = [row for row in rows(9) if row[3] == "7"]
    write_table(tmp_path / "table.csv", table, header)
    first = nih.read_entries(tmp_path / "table.csv")[0]
    assert (first.image, first.patient, first.view) == ("00000007_000.png", "7", table[0][6])
    assert first.findings == set(table[0][1].split("|"))
    assert "Hernia" in first.findings
    assert first.follow_up == 0


def test_zeros_before_a_patients_number_do_not_make_another_patient(tmp_path):
    (row,) = rows(1)[:1]
    numbers = {"1.png": "7", "2.png": "0000007", "3.png": "70", "4.png": "0"}
    table = [[name, *row[1:3], number, *row[4:]] for name, number in numbers.items()]
    write_table(tmp_path / "table.csv", table)
    patients = [entry.patient for entry in nih.read_entries(tmp_path / "table.csv")]
    assert patients == ["7", "7", "70", "0"]


def test_no_finding_and_aliases(tmp_path):
    table = rows(1)[:1] * 2
    table = [["1.png", "No Finding", *table[0][2:]], ["2.png", "Infiltrate|PT", *table[0][2:]]]
    write_table(tmp_path / "table.csv", table)
    none, two = nih.read_entries(tmp_path / "table.csv")
    assert none.findings == frozenset()
    assert two.findings == {"Infiltration", "Pleural_Thickening"}


HEADER = "Image Index,Finding Labels,Follow-up #,Patient ID,View Position\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column Image Index, Finding Labels, Follow-up #, Patient ID, View Position"),
        ("Image Index,Finding Labels,Follow-up #,View Position\n", "has no column Patient ID"),
        (HEADER, "has no images"),
        (HEADER + "a,Mas,0,1,PA\n", "line 2: 'Mas' is"),
        (HEADER + "a\n", "line 2: the image, its"),
        (HEADER + "a,Mass,x,1,PA\n", "line 2: the follow-up of 'a' is not a number"),
        (HEADER + "a,Mass,0,1,PA\nb,Mass,0,1,LL\n", "line 3: the view of 'b' is 'LL', not PA or"),
        (HEADER + "a,Mass,0,1,PA\na,Mass,0,1,PA\n", "line 3: 'a' comes twice"),
    ],
)
def test_broken_tables(tmp_path, text, message):
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        nih.read_entries(tmp_path / "table.csv")


def test_the_corrected_table_goes_first(tmp_path):
    with pytest.raises(InputError, match="has no Data_Entry_2017"):
        nih.entries_file(tmp_path)
    for name in (TABLE_2017, TABLE_2020):
        (tmp_path / name).touch()
        assert nih.entries_file(tmp_path).name == name


def test_images_are_found_in_any_folder(tmp_path):
    for folder in ("images_002/images", "images_001/images"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "1.png").touch()
    (tmp_path / "2.png").touch()
    found = nih.image_paths(tmp_path, {"1.png", "3.png"})
    assert found == {"1.png": tmp_path / "images_001/images/1.png"}


def test_an_image_may_be_there_in_another_format(tmp_path):
    for file in ("a/1.dcm", "a/2.dcm", "b/2.png", "b/3.txt"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    found = nih.image_paths(tmp_path, ["1.png", "2.png", "3.png"])
    assert found == {"1.png": tmp_path / "a/1.dcm", "2.png": tmp_path / "b/2.png"}


def test_a_mark_makes_all_below_its_folder_synthetic(tmp_path):
    inside = tmp_path / "drawn" / "images_001" / "images" / "1.png"
    inside.parent.mkdir(parents=True)
    files = [tmp_path / "2.png", inside]
    assert not nih.is_synthetic(files)
    (tmp_path / "drawn" / "SYNTHETIC.txt").touch()
    assert nih.is_synthetic(files)
    assert not nih.is_synthetic(files[:1])


def test_split_lists(tmp_path):
    (tmp_path / "list.txt").write_text("a.png\r\n\nb.png")
    assert nih.read_split(tmp_path / "list.txt") == {"a.png", "b.png"}
    (tmp_path / "empty.txt").touch()
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe")
    for name, message in {"empty": "is empty", "binary": "is not text", "no": "No such"}.items():
        with pytest.raises(InputError, match=rf"{name}\.txt'.*{message}"):
            nih.read_split(tmp_path / f"{name}.txt")
