"""What tools/sanitize_gpu.py makes of the sanitizer's words. No GPU and no sanitizer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import sanitize_gpu
from sanitize_gpu import Case, Verdict, check, row, verdict_of

RACE = "========= Error: Race reported between Write access at kernel+0x10"


@pytest.mark.parametrize(
    ("status", "said", "findings", "words"),
    [
        (0, "========= COMPUTE-SANITIZER\nfine\n========= ERROR SUMMARY: 0 errors", 0, ""),
        (
            0,
            "========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)",
            0,
            "",
        ),
        (
            0,
            f"{RACE}\n========= RACECHECK SUMMARY: 2 hazards displayed (1 error, 1 warning)",
            2,
            "Race reported between Write access",
        ),
        (1, "========= ERROR SUMMARY: 1 error", 1, "1 error"),
        # Of two processes.
        (0, "========= ERROR SUMMARY: 3 errors\n========= ERROR SUMMARY: 0 errors", 3, "3 errors"),
        # The program failed for a reason of its own: nothing is known to be clean.
        (1, "========= ERROR SUMMARY: 0 errors", None, "0 errors"),
        (1, "chexnet_trt trtexec: error: no such engine", None, "no such engine"),
        (0, "", None, "it said nothing"),
        (None, "", None, "not over in 3 s"),
    ],
)
def test_only_a_finished_run_without_findings_is_clean(status, said, findings, words):
    verdict = verdict_of(status, said, 3.0)
    assert verdict.findings == findings
    assert words in verdict.words


def test_the_words_are_of_the_kernel_not_of_its_launch():
    said = """
========= Invalid __shared__ read of size 2048 bytes
=========     at void window_kernel+0x4190
=========     Saved host backtrace up to driver entry point at kernel launch time
=========         Host Frame: PyObject_Call [0x14b1d4] in python3
=========
========= ERROR SUMMARY: 1 error"""
    words = verdict_of(0, said, 3.0).words.splitlines()
    assert [line.split()[0] for line in words] == ["Invalid", "at", "ERROR"]


def test_a_check_runs_the_command():
    said = "print('========= ERROR SUMMARY: 0 errors')"
    assert check([sys.executable, "-c", said], 60).findings == 0


def test_a_check_that_is_late_ends_with_all_that_it_started(tmp_path):
    begun = tmp_path / "begun"
    script = f"sleep 60 & echo $! > {begun}; wait"
    late = check(["sh", "-c", script], 2)
    assert late.findings is None
    assert late.seconds < 30
    status = Path(f"/proc/{int(begun.read_text())}/stat")
    assert not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize(
    ("findings", "words"), [(0, "clean"), (3, "3 FOUND"), (None, "NOT CHECKED")]
)
def test_a_row_tells_clean_from_not_checked(findings, words):
    line = row(Case("net", "int8", 8), "racecheck", Verdict(findings, "", 12.4))
    assert line == f"| net | int8 | 8 | racecheck | 12 | {words} |"


def test_without_a_sanitizer_it_says_what_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(sanitize_gpu.shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["sanitize_gpu.py", "resnet50_v2", "-o", "x.json"])
    with pytest.raises(SystemExit):
        sanitize_gpu.main()
    assert "compute-sanitizer is not in PATH" in capsys.readouterr().err
