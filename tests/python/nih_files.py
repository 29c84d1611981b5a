"""A synthetic data set in the shape of NIH ChestX-ray14; it shows no patient."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from chexnet_trt.labels import LABELS

HEADER_2017 = [
    "Image Index", "Finding Labels", "Follow-up #", "Patient ID", "Patient Age", "Patient Gender",
    "View Position", "OriginalImage[Width", "Height]", "OriginalImagePixelSpacing[x", "y]", "",
]  # fmt: skip
HEADER_2020 = HEADER_2017[:-1]
TABLE_2017, TABLE_2020 = "Data_Entry_2017.csv", "Data_Entry_2017_v2020.csv"


def rows(patients: int = 120, seed: int = 0) -> list[list[str]]:
    """One to four images a patient; a third AP, more of them in long follow-ups; Hernia, the
    rarest finding, in patient 7 alone."""
    rng = np.random.default_rng(seed)
    common = [label for label in LABELS if label != "Hernia"]
    table = []
    for patient in range(1, patients + 1):
        count = int(rng.integers(1, 5))
        for follow_up in range(count):
            findings = sorted(rng.choice(common, rng.integers(0, 3), replace=False))
            if (patient, follow_up) == (7, 0):
                findings.append("Hernia")
            view = "AP" if rng.random() < 0.15 * count else "PA"
            name = f"{patient:08}_{follow_up:03}.png"
            labels = "|".join(findings) or "No Finding"
            table.append([name, labels, str(follow_up), str(patient), "058Y", "M", view,
                          "2682", "2749", "0.143", "0.143"])  # fmt: skip
    return table


def write_table(path: Path, table: list[list[str]], header: list[str] = HEADER_2020) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(row + [""] * (len(header) - len(row)) for row in table)


def write_images(folder: Path, table: list[list[str]]) -> None:
    """Spread over images_001/images and images_002/images."""
    for index, row in enumerate(table):
        path = folder / f"images_{index % 2 + 1:03}" / "images" / row[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((2, 2), index % 256, np.uint8)).save(path)


def write_data_set(folder: Path) -> list[list[str]]:
    """Every fifth patient is for the test, but not patient 7."""
    table = rows()
    write_table(folder / TABLE_2020, table)
    write_images(folder, table)
    test = [row[0] for row in table if int(row[3]) % 5 == 0]
    train = [row[0] for row in table if int(row[3]) % 5]
    (folder / "train_val_list.txt").write_text("\n".join(train) + "\n")
    (folder / "test_list.txt").write_text("\n".join(test))
    return table
