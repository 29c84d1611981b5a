"""Writing the data set: the folder has the layout, the table and the lists of NIH ChestX-ray14.

SYNTHETIC.txt is written first and the table last: a folder without the table is unfinished.
"""

from __future__ import annotations

import csv
import io
import multiprocessing
import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from chexnet_trt._core import InputError, write_file
from chexnet_trt.nih import SYNTHETIC_MARK, TEST_LIST, TRAIN_LIST
from chexnet_trt.progress import Progress
from chexnet_trt.synthetic import dicom_file
from chexnet_trt.synthetic.film import render
from chexnet_trt.synthetic.patients import TEST_EVERY, Exam, exams

ENTRIES = "Data_Entry_2017_v2020.csv"
# As in the file of 2020: commas inside brackets, unquoted.
HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)
LEAST_IMAGES = 8  # With fewer the test list can be empty.
_FOLDER_IMAGES = 5000
_PNG_TEXT = "drawn by chexnet_trt; no patient's image"
_RLE = 3  # zlib's strategy: on noise as good as its default, and faster


@dataclass(frozen=True)
class Options:
    """`size`: pixels a side; `dicom`: how many of the films, the first ones, are also written as
    DICOM files."""

    images: int
    seed: int = 0
    size: int = 1024
    dicom: int = 0


def write_dataset(
    folder: Path,
    options: Options,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
) -> list[Exam]:
    """Draws and writes the films in `jobs` processes, and returns their exams.

    The bytes depend on the seed and the size alone: neither on the jobs, nor do those of a film
    on how many follow. Raises InputError for a folder that is not empty and for what cannot be
    written.
    """
    if options.images < LEAST_IMAGES:
        raise InputError(f"{options.images} films are too few for a test list; {LEAST_IMAGES} do")
    if not 64 <= options.size <= 4096:
        raise InputError(f"{options.size} pixels a side: give 64 to 4096")
    if options.dicom:
        dicom_file.check_available()
    try:
        _prepare(folder, options)
        drawn = exams(options.seed, options.images)
        tasks = [_Task(exam, index, folder, options) for index, exam in enumerate(drawn)]
        for done, _ in enumerate(_each(tasks, jobs), 1):
            if progress:
                progress("drawing films", done, len(tasks))
    except OSError as error:
        raise InputError(f"cannot write '{error.filename or folder}': {error.strerror}") from None
    for name, test in ((TRAIN_LIST, False), (TEST_LIST, True)):
        lines = [f"{exam.name}.png\n" for exam in drawn if exam.patient.is_test == test]
        write_file(str(folder / name), "".join(lines).encode())
    write_file(str(folder / ENTRIES), _table(drawn).encode())
    return drawn


def _prepare(folder: Path, options: Options) -> None:
    folder.mkdir(exist_ok=True)
    if any(folder.iterdir()):
        raise InputError(f"'{folder}' is not empty; name a new folder, or remove that one")
    write_file(str(folder / SYNTHETIC_MARK), _statement(options).encode())
    for first in range(0, options.images, _FOLDER_IMAGES):
        (folder / _images_folder(first)).mkdir(parents=True)
    if options.dicom:
        (folder / "dicom").mkdir()


def _statement(options: Options) -> str:
    return (
        "SYNTHETIC\n\n"
        "The films of this folder are drawings by chexnet_trt sample-data, and the patients are\n"
        "invented. The layout is that of NIH ChestX-ray14, the frequencies of the findings are\n"
        "not. Whatever is trained or measured on them says nothing about patients.\n\n"
        f"seed {options.seed}, {options.images} films of {options.size}x{options.size}, every "
        f"{TEST_EVERY}th patient for the test\n"
    )


def _images_folder(index: int) -> str:
    return f"images_{index // _FOLDER_IMAGES + 1:03}/images"


def _table(drawn: Iterable[Exam]) -> str:
    stream = io.StringIO()
    stream.write(HEADER + "\n")
    writer = csv.writer(stream, lineterminator="\n")
    for exam in drawn:
        width, height, spacing = exam.original
        findings = "|".join(sorted(exam.findings)) or "No Finding"
        patient = exam.patient
        writer.writerow(
            (f"{exam.name}.png", findings, exam.follow_up, patient.id, exam.age, patient.sex,
             exam.view, width, height, spacing, spacing)
        )  # fmt: skip
    return stream.getvalue()


@dataclass(frozen=True)
class _Task:
    exam: Exam
    index: int
    folder: Path
    options: Options

    def __call__(self) -> None:
        gray = render(self.exam, self.options.size)
        info = PngInfo()
        info.add_text("synthetic", _PNG_TEXT)
        Image.fromarray(np.rint(gray).astype(np.uint8)).save(
            self.folder / _images_folder(self.index) / f"{self.exam.name}.png",
            pnginfo=info,
            compress_level=1,
            compress_type=_RLE,
        )
        if self.index < self.options.dicom:
            path = self.folder / "dicom" / f"{self.exam.name}.dcm"
            path.write_bytes(dicom_file.encode(self.exam, gray))


def _each(tasks: Sequence[_Task], jobs: int) -> Iterator[None]:
    if jobs == 1:
        for task in tasks:
            task()
            yield
        return
    # Fresh processes: this one may have threads, which a fork would cut off.
    context = multiprocessing.get_context("spawn")
    ignore_interrupts = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
    with ProcessPoolExecutor(jobs, context, initializer=ignore_interrupts) as pool:
        yield from pool.map(_Task.__call__, tasks, chunksize=4)
