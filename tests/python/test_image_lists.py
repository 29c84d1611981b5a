from __future__ import annotations

import pytest

from chexnet_trt._core import InputError
from chexnet_trt.image_lists import image_files


def test_image_files_of_a_folder_are_sorted_and_known(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("b/z.PNG", "b/a.jpg", "c.dcm", "a.pgm", "notes.md"):
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in image_files([tmp_path])]
    assert found == ["a.pgm", "b/a.jpg", "b/z.PNG", "c.dcm"]


def test_image_files_of_a_list_are_relative_to_it(tmp_path):
    (tmp_path / "x.png").touch()
    (tmp_path / "list.txt").write_text("x.png\n\n" + str(tmp_path / "x.png") + "\n")
    assert image_files([tmp_path / "list.txt"]) == [tmp_path / "x.png"] * 2
    (tmp_path / "list.txt").write_text("x.png\ny.png\n")
    with pytest.raises(InputError, match=r"list\.txt, line 2: there is no file"):
        image_files([tmp_path / "list.txt"])


@pytest.mark.parametrize("name", ["missing.png", "missing.txt", "empty", "empty.txt", "binary.txt"])
def test_image_files_that_give_nothing(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.txt").touch()
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(InputError, match=name):
        image_files([tmp_path / name])


def test_lists_have_comments(tmp_path):
    (tmp_path / "x.png").touch()
    (tmp_path / "list.txt").write_text("# chosen by hand\nx.png\n  # the end\n")
    assert image_files([tmp_path / "list.txt"]) == [tmp_path / "x.png"]
    (tmp_path / "list.txt").write_text("# nothing\n")
    with pytest.raises(InputError, match=r"the image list '.*list\.txt' is empty"):
        image_files([tmp_path / "list.txt"])


@pytest.fixture
def nih(tmp_path):
    """Images in NIH's folders, and a table beside them."""
    for name in ("images_001/images/00000001_000.png", "images_002/images/00000002_000.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / "table.csv").write_text(
        "Finding Labels,Image Index,OriginalImage[Width,Height]\n"
        "No Finding,00000002_000.png,2,3\n\nMass|Nodule,00000001_000.png,2,3\n"
    )
    return tmp_path


def names(files):
    return [file.name for file in files]


def test_names_without_folders_are_searched_for(nih):
    expected = ["00000002_000.png", "00000001_000.png"]
    assert names(image_files([nih / "table.csv"])) == expected
    (nih / "list.txt").write_text("\n".join(expected))
    assert names(image_files([nih / "list.txt"])) == expected


def test_an_images_root_replaces_the_folder_of_the_table(nih, tmp_path_factory):
    table = tmp_path_factory.mktemp("elsewhere") / "table.csv"
    table.write_bytes((nih / "table.csv").read_bytes())
    assert names(image_files([table], nih)) == ["00000002_000.png", "00000001_000.png"]
    with pytest.raises(InputError, match=r"table\.csv, line 2: .*, nor for 1 other lines"):
        image_files([table])


@pytest.mark.parametrize(
    "content",
    [
        "a.png,1\nb.png,2\n",
        "what,label\na.png,1\nb.png,2\n",
        "label,Path\n1,a.png\n2,b.png\n",
        "\ufefffilename\na.png\nb.png\n",
    ],
    ids=["no header", "first column", "named column", "byte order mark"],
)
def test_columns_of_a_table(tmp_path, content):
    for name in ("a.png", "b.png"):
        (tmp_path / name).touch()
    (tmp_path / "table.csv").write_text(content, encoding="utf-8")
    assert names(image_files([tmp_path / "table.csv"])) == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("label,image\n1,\n", "line 2: the image column is empty"),
        ("image\n", "is empty"),
        ("", "is empty"),
        ("image\n" + "x" * 5000, "line 2: there is no file"),
    ],
)
def test_broken_tables(tmp_path, content, message):
    (tmp_path / "table.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        image_files([tmp_path / "table.csv"])
