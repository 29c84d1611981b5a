"""The side that asks: a process a mode, started, asked in turn, ended."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from typing import Any

from chexnet_trt._core import Error
from chexnet_trt.compare import files
from chexnet_trt.compare.modes import Mode
from chexnet_trt.compare.reasons import reason_of, shorten
from chexnet_trt.compare.setting import Setting

# Seconds without an answer after which a process is taken for hung: building an engine takes long.
OPEN_LIMIT, ANSWER_LIMIT = 900.0, 300.0


class BrokenModeError(Exception):
    """A mode that cannot be measured (any more), with the reason."""


class Worker:
    """Raises BrokenModeError with the reason when the mode cannot be had."""

    def __init__(self, mode: Mode, setting: Setting, cores: set[int]) -> None:
        if mode.file:
            _ensure_file(mode, setting)
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the worker
        self._process = subprocess.Popen(
            [sys.executable, "-m", "chexnet_trt.compare.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=os.environ | _environment(mode),
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        try:
            request = {"mode": mode.name, "setting": setting.to_json()}
            self.facts: dict[str, Any] = self._answer(request, OPEN_LIMIT)["facts"]
        except BrokenModeError:
            self.close()
            raise

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._answer(request, ANSWER_LIMIT)

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(10)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()

    def _answer(self, request: dict[str, Any], limit: float) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            print(json.dumps(request), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise BrokenModeError(self._end()) from None
        line = self._line(limit)
        if not line:
            raise BrokenModeError(self._end())
        fields: dict[str, Any] = json.loads(line)
        if "error" in fields:
            raise BrokenModeError(fields["error"])
        return fields

    def _line(self, limit: float) -> str:
        """Empty when the process ended."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(limit):
                self._process.kill()
                self._process.wait()
                raise BrokenModeError(f"no answer for {limit:.0f} s")
        return self._process.stdout.readline()

    def _end(self) -> str:
        """How the process ended."""
        status = self._process.wait()
        self._log.seek(0)
        words = self._log.read().strip().splitlines()
        said = f": {shorten(words[-1])}" if words else ""
        if status < 0:
            return f"its process was ended by {signal.Signals(-status).name}{said}"
        return f"its process ended with status {status}{said}"


def _ensure_file(mode: Mode, setting: Setting) -> None:
    try:
        files.ensure(mode.file, setting)
    except (Error, OSError) as error:
        raise BrokenModeError(
            f"cannot make {files.path_of(mode.file, setting).name}: {reason_of(error)}"
        ) from None


def _environment(mode: Mode) -> dict[str, str]:
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3"}
    return quiet if mode.device == "GPU" else quiet | {"CUDA_VISIBLE_DEVICES": "-1"}
