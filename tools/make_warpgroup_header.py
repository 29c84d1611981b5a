"""Writes cpp/backends/cuda/kernels/warpgroup_instructions.cuh: wgmma.mma_async by type and columns.

An instruction names every register of its sum, which no template can spell.

    python tools/make_warpgroup_header.py && clang-format -i cpp/backends/cuda/kernels/*.cuh
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TARGET = (
    Path(__file__).resolve().parents[1] / "cpp/backends/cuda/kernels/warpgroup_instructions.cuh"
)
COLUMNS = (32, 64, 128, 256)


@dataclass(frozen=True)
class Kind:
    """An element type: in C++, in the instruction, and what it sums in."""

    element: str
    types: str
    depth: str
    accumulator: str
    constraint: str
    tail: str
    fragment_tail: str


# Floats have the signs of both sides and their transposition, of which registers have none, behind
# the predicate.
_FLOAT_TAILS = (", 1, 1, 0, 0", ", 1, 1, 0")
KINDS = (
    Kind("__half", "f32.f16.f16", "k16", "float", "f", *_FLOAT_TAILS),
    Kind("__nv_bfloat16", "f32.bf16.bf16", "k16", "float", "f", *_FLOAT_TAILS),
    Kind("signed char", "s32.s8.s8", "k32", "int", "r", "", ""),
    Kind("unsigned char", "s32.u8.s8", "k32", "int", "r", "", ""),
)

HEAD = """#pragma once

// Written by tools/make_warpgroup_header.py; included by warpgroup.cuh.

namespace chexnet_trt::cuda {
"""
FOOT = """
}  // namespace chexnet_trt::cuda
"""


def method(kind: Kind, columns: int, a_type: str, a: str, inputs: list[str], tail: str) -> str:
    count = columns // 2
    names = [f"%{index}" for index in range(count)]
    rows = [", ".join(names[first : first + 8]) for first in range(0, count, 8)]
    registers = '{" "' + ', " "'.join(rows) + "}"
    sums = ", ".join(
        f'"+{kind.constraint}"(d[{index // 4}][{index % 4}])' for index in range(count)
    )
    b = count + len(inputs)
    operands = ", ".join([*inputs, '"l"(b)', '"r"(static_cast<int>(adds))'])
    return f"""
  __device__ static void multiply({kind.accumulator} (&d)[{columns // 8}][4], {a_type},
                                  std::uint64_t b, bool adds) {{
    asm volatile(
        "{{.reg .pred p; setp.ne.b32 p, %{b + 1}, 0; "
        "wgmma.mma_async.sync.aligned.m64n{columns}{kind.depth}.{kind.types} "
        "{registers}, {a.format(*range(count, b))}, %{b}, p{tail};}}"
        : {sums}
        : {operands});
  }}"""


def specialisation(kind: Kind, columns: int) -> str:
    matrix = method(kind, columns, "std::uint64_t a", "%{}", ['"l"(a)'], kind.tail)
    fragment = method(
        kind,
        columns,
        "const unsigned (&a)[4]",
        "{{%{}, %{}, %{}, %{}}}",
        [f'"r"(a[{index}])' for index in range(4)],
        kind.fragment_tail,
    )
    return f"""
template <>
struct WarpgroupCore<{kind.element}, {columns}> {{{matrix}{fragment}
}};
"""


def main() -> None:
    body = "".join(specialisation(kind, columns) for columns in COLUMNS for kind in KINDS)
    TARGET.write_text(HEAD + body + FOOT)


if __name__ == "__main__":
    main()
