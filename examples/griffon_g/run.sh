#!/usr/bin/env bash
# A small Griffon-G from random weights to GRPO on one CPU core; from the repository's root:
#   make setup && PATH="$PWD/.venv/bin:$PATH" bash examples/griffon_g/run.sh
# docs/griffon_g.md has the numbers.
set -euo pipefail
export OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false
export USE_HF=1 HF_HUB_OFFLINE=1 # the model and the data are here: no hub is asked
here=examples/griffon_g
out=runs/griffon_g # as in sft.yaml and grpo.yaml

evaluate() { # MODEL OUT
    mmdet-eval run --model "$1" --model-type griffon_g --torch_dtype float32 --out "$2" \
        --ann $out/data/val.json --images $out/data/images --classes "red circle" "blue square" \
        --max_new_tokens 48 --max_batch_size 100
}

python $here/data.py --out $out/data
python $here/warm_start.py --out $out/start
swift sft $here/sft.yaml
swift sft $here/sft.yaml --model $out/sft/checkpoint-300 --max_steps 270 --save_steps 270 \
    --output_dir $out/sft2
evaluate $out/sft2/checkpoint-270 $out/before
swift rlhf $here/grpo.yaml
evaluate $out/grpo/checkpoint-40 $out/after
