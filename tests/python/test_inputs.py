from __future__ import annotations

import os

import pytest

from chexnet_trt._core import InputError
from chexnet_trt.inputs import make_folder


def test_a_folder_is_made_with_its_parents_and_kept(tmp_path):
    for _ in range(2):
        assert make_folder(str(tmp_path / "a" / "b")).is_dir()


def test_a_folder_that_cannot_be_made_or_written_in(tmp_path):
    (tmp_path / "file").write_text("")
    for target in (tmp_path / "file", tmp_path / "file" / "folder"):
        with pytest.raises(InputError, match="cannot make the folder"):
            make_folder(target)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if os.access(closed, os.W_OK):
        pytest.skip("this user writes everywhere")
    with pytest.raises(InputError, match="no permission to write in"):
        make_folder(closed)
