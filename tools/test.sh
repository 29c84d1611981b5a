#!/usr/bin/env bash
# Sets up from nothing and runs every check and test: lint, types, stubs, ctest, pytest.
# Needs a C++17 compiler, Python >= 3.10 and pip. Leaves everything under build/.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=$(nproc)
venv=build/venv-test

step() { printf '\n== %s\n' "$*"; }

step "virtual environment"
rm -rf "$venv"
python3 -m venv "$venv"
# shellcheck disable=SC1091
source "$venv/bin/activate"
python -m pip install --quiet --upgrade pip
CMAKE_BUILD_PARALLEL_LEVEL=$jobs python -m pip install --quiet '.[dev]'

step "format, lint, types"
git ls-files '*.cpp' '*.hpp' '*.h' | xargs clang-format --dry-run --Werror
ruff check .
ruff format --check .
mypy

step "stubs"
python tools/generate_stubs.py --check

step "C++ tests"
cmake --preset release
cmake --build --preset release --parallel "$jobs"
ctest --preset release --parallel "$jobs"

step "Python tests"
python -m pytest
