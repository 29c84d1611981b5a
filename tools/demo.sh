#!/usr/bin/env bash
# Sets up from nothing and runs the whole way on SYNTHETIC films: sample data -> TFRecords -> training
# -> SavedModel -> frozen graph -> UFF -> fp32, bf16 and int8 engines -> gate -> trtexec numbers -> a
# picture of a film with its scores and heat maps. A smaller image (128x128) and few epochs, so that
# it takes less than 15 minutes on two cores.
# Needs a C++17 compiler, Python >= 3.10 and pip. Leaves everything under build/demo.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=build/demo
films=2000
size=128
epochs=5
began=$SECONDS

step() { printf '\n\033[1m== [%d:%02d] %s\033[0m\n' $(((SECONDS - began) / 60)) $(((SECONDS - began) % 60)) "$*"; }

run() {
  step "python -m chexnet_trt $*"
  python -m chexnet_trt "$@"
}

mkdir -p "$work"
step "install into $work/venv (TensorFlow among it)"
[ -d "$work/venv" ] || python3 -m venv "$work/venv"
# shellcheck disable=SC1091
source "$work/venv/bin/activate"
python -m pip install --quiet --upgrade pip
# Without kernels for GPUs: they take minutes to compile, and this runs on the CPU.
CMAKE_BUILD_PARALLEL_LEVEL=$(nproc) python -m pip install --quiet \
  --config-settings cmake.define.CHEXNET_TRT_CUDA=OFF '.[convert,tfrecord,train]'
cd "$work"
rm -rf films records model saved_model frozen ./*.engine ./*.json

run sample-data -o films --images $films
run prepare films -o records --image-size $size
run train --data_dir=records --model_dir=model --network=resnet50_v2 --train_epochs=$epochs \
  --batch_size=16 --schedule=cosine --export_dir=saved_model --frozen_graph_dir=frozen
run convert frozen/*.pb -o chexnet.uff -O chexnet_sigmoid_tensor

# engine NAME FLAGS...: a precision that this CPU lacks, or that fails the gate, is left out.
engine() {
  local name=$1
  shift
  run build chexnet.uff --uffInput "input_tensor,3,$size,$size" --output chexnet_sigmoid_tensor \
    --preprocess imagenet-tf --max-batch 8 --heatmap --gate records "$@" -o "$name.engine" || return 0
  step "evaluate and time $name.engine"
  python -m chexnet_trt evaluate "$name.engine" --data records --reference fp32.engine --json \
    >"$name.gate.json"
  for batch in 1 8; do
    python -m chexnet_trt trtexec --loadEngine="$name.engine" --batch=$batch --duration=3 --json \
      >"$name.$batch.json"
  done
}
engine fp32
engine bf16 --bf16 --precision-constraints obey
engine int8 --int8 --precision-constraints obey --calib-data records --calib-images 300

best=fp32
for name in bf16 int8; do [ -f $name.engine ] && best=$name; done
film=$(awk -F, 'NR == FNR {test[$1]; next} $2 == "Pneumothorax" && $1 in test {print $1; exit}' \
  films/test_list.txt films/Data_Entry_2017_v2020.csv)
run infer "$best.engine" "films/images_001/images/$film" --figure film.png --top 3

step "done"
python "$root/tools/demo_table.py" fp32 bf16 int8
printf '\nthe film "%s" with its scores and heat maps: %s/film.png\n' "$film" "$work"
