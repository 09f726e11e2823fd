#!/usr/bin/env bash
# The wheel alone, in an empty folder: recipes by name, the first training step, an evaluation. Once with the newest
# versions that pyproject.toml allows and once with the oldest: .ci/wheel.sh highest|lowest-direct
set -euo pipefail
resolution=$1
root=$(cd "$(dirname "$0")/.." && pwd)
uv=$(command -v uv || echo "$root/.uv/bin/uv")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The same source gives the same bytes.
for n in 1 2; do "$uv" build --quiet --out-dir "$work/dist$n" "$root"; done
diff -r "$work/dist1" "$work/dist2"

"$uv" venv --quiet --python "${PYTHON:-python3}" "$work/env"
"$uv" pip install --quiet --python "$work/env/bin/python" --resolution "$resolution" "$(ls "$work"/dist1/*.whl)[swift,eval]"
export PATH="$work/env/bin:$PATH" OMP_NUM_THREADS=1 USE_HF=1 HF_HUB_OFFLINE=1
mkdir "$work/empty" && cd "$work/empty"
# The model is small, and its data are drawn: neither is in the wheel.
cp -r "$root/examples/shapes/checkpoint" "$root/examples/shapes/pruned_template.py" "$root/examples/shapes/scenes.py" .
"$work/env/bin/python" scenes.py --out data --train 8 --val 4

vision-r1 --version
python -m swift_plugin_visionr1.ms_swift.pieces
vision-r1 recipes | grep -q qwen2_5_vl_7b
cat > tiny.yaml <<'YAML'
# The paper's recipe for the small model on a CPU, for one step.
model: checkpoint
template: qwen2_5_vl_pruned
external_plugins: pruned_template.py
torch_dtype: float32
gradient_checkpointing: false
deepspeed: null
per_device_train_batch_size: 8
gradient_accumulation_steps: 1
max_steps: 1
max_completion_length: 128
output_dir: out
YAML
vision-r1 recipe qwen2_5_vl_7b tiny.yaml --out mine.yaml
vision-r1 prepare --ann data/train.json --images data/images --out train.jsonl
vision-r1 doctor mine.yaml --dataset train.jsonl --no-sample
swift rlhf mine.yaml --dataset train.jsonl
grep -q '"vision_r1/recall"' out/logging.jsonl
mmdet-eval run --model out/checkpoint-1 --template qwen2_5_vl_pruned --external_plugins pruned_template.py \
    --ann data/val.json --images data/images --max_new_tokens 128 --out eval
grep -q '"mAP"' eval/metrics.json
echo "the wheel works with $resolution versions"
