#!/usr/bin/env bash
# Sets up from nothing and runs the main job on a real-size ResNet-50 v2 with RANDOM weights:
# frozen graph -> UFF -> calibration -> the fastest engine that keeps the scores -> trtexec numbers
# -> scores of a synthetic film.
# Needs a C++17 compiler, Python >= 3.10 and pip. Leaves everything under build/demo.
set -euo pipefail
cd "$(dirname "$0")/.."
work=build/demo
mkdir -p "$work"

step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

step "install into $work/venv"
[ -d "$work/venv" ] || python3 -m venv "$work/venv"
# shellcheck disable=SC1091
source "$work/venv/bin/activate"
python -m pip install --quiet --upgrade pip
CMAKE_BUILD_PARALLEL_LEVEL=$(nproc) python -m pip install --quiet '.[convert]'
cd "$work"

run() {
  step "$*"
  "$@"
}
rm -rf films
run python -m chexnet_trt sample-data -o films --images 32
run python -m chexnet_trt freeze --random-weights --network resnet50_v2 -o chexnet.pb
run python -m chexnet_trt convert chexnet.pb -o chexnet.uff -O chexnet_sigmoid_tensor
run python -m chexnet_trt build chexnet.uff --uffInput input_tensor,3,256,256 \
  --output chexnet_sigmoid_tensor --best --max-batch 8 --preprocess imagenet-tf \
  --calib-data films/images_001/images --calib chexnet.calib -o chexnet.engine
run python -m chexnet_trt trtexec --loadEngine=chexnet.engine --batch=1 --duration=3
run python -m chexnet_trt infer chexnet.engine films/images_001/images/90000001_000.png
printf '\nThe weights are random and the films are drawn: the scores mean nothing, the speed does.\n'
