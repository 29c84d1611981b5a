"""What a build for TensorRT takes beside the network and its precisions."""

from __future__ import annotations

from dataclasses import dataclass

from chexnet_trt import _core

OPTIMIZATION_LEVELS = range(6)


@dataclass(frozen=True)
class Batches:
    """Of an optimisation profile; `static`: one batch size and no other."""

    least: int
    best: int
    most: int
    static: bool = False

    def __str__(self) -> str:
        if self.static:
            return f"batch {self.most} alone"
        return f"batch {self.least} to {self.most}, tuned for {self.best}"


@dataclass(frozen=True)
class Options:
    """`module`: tensorrt or tensorrt_rtx; None: the one that is installed. `min_batch`,
    `opt_batch` (None: the maximum): of the optimisation profile; `static`: for the maximum batch
    alone. `workspace_mib`: limit of scratch memory on the device (None: TensorRT's own).
    `optimization_level`: 0 ... 5, TensorRT's own being 3. `timing_cache`: file that is read, if it
    is there, and written (tensorrt). `compute_capabilities`: of the devices to build for, "8.9"
    (tensorrt_rtx; none: 8.0 and all newer but 9.0). `tf32`: products of float32 with 10 bits of
    their mantissa, which TensorRT takes by default and this project does not: fp32 is to be exact.
    """

    module: str | None = None
    min_batch: int = 1
    opt_batch: int | None = None
    static: bool = False
    workspace_mib: int | None = None
    optimization_level: int | None = None
    timing_cache: str | None = None
    compute_capabilities: tuple[str, ...] = ()
    tf32: bool = False

    def batches(self, max_batch: int) -> Batches:
        """Raises InputError on sizes out of order."""
        if self.static:
            return Batches(max_batch, max_batch, max_batch, static=True)
        best = self.opt_batch or max_batch
        if not 1 <= self.min_batch <= best <= max_batch:
            raise _core.InputError(
                f"the batch sizes of TensorRT's profile are {self.min_batch}, {best}, {max_batch}: "
                "least, tuned for and most, in this order"
            )
        return Batches(self.min_batch, best, max_batch)
