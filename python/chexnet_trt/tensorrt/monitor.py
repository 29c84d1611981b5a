"""TensorRT's progress, as the rest of this project shows it."""

from __future__ import annotations

from typing import Any

from chexnet_trt.progress import Progress


class Monitor:
    """`sink` is the object to give to TensorRT. `error`: what `progress` raised, Ctrl-C above all;
    the build is then cancelled.
    """

    def __init__(self, trt: Any, progress: Progress) -> None:  # noqa: ANN401
        self.error: BaseException | None = None
        self._progress = progress
        self._steps: dict[str, int] = {}
        self.sink = _sink(trt, self)

    def start(self, phase: str, steps: int) -> None:
        self._steps[phase] = steps
        self.report(phase, 0)

    def finish(self, phase: str) -> None:
        self.report(phase, self._steps.get(phase, 0))

    def report(self, phase: str, done: int) -> bool:
        """Whether the build is to go on."""
        try:
            self._progress(f"TensorRT: {phase}", done, self._steps.get(phase, 0))
        except BaseException as error:  # None may reach TensorRT; raised later.
            self.error = self.error or error
        return self.error is None


def _sink(trt: Any, monitor: Monitor) -> Any:  # noqa: ANN401
    class Sink(trt.IProgressMonitor):  # type: ignore[misc]
        """Called by TensorRT, from any thread."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            monitor.start(phase_name, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            return monitor.report(phase_name, step + 1)

        def phase_finish(self, phase_name: str) -> None:
            monitor.finish(phase_name)

    return Sink()
