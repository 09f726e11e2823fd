"""What DeepSpeed makes of recipes: `deepspeed_configs.py PROCESSES < recipes.json`, one JSON line
per recipe.

ms-swift reads the recipe's configuration, transformers fills in what it leaves to the trainer, and
DeepSpeed's own class checks the result, in a process that is one of PROCESSES for
torch.distributed; the others are not there.
"""

import json
import sys
from types import SimpleNamespace
from typing import Any

import deepspeed
import torch.distributed
from accelerate import PartialState
from deepspeed.runtime.config import DeepSpeedConfig
from swift.arguments import SftArguments
from torch.testing._internal.distributed.fake_pg import FakeStore
from transformers import Qwen2_5_VLConfig, TrainingArguments
from transformers.integrations.deepspeed import HfTrainerDeepSpeedConfig

FORWARDED = ("per_device_train_batch_size", "gradient_accumulation_steps", "learning_rate")


def config_of(recipe: dict[str, Any]) -> DeepSpeedConfig:
    options = {
        "zero_hpz_partition_size": None,
        "deepspeed_autotp_size": None,
        "callbacks": [],
        "use_ray": False,
    }
    read = SimpleNamespace(deepspeed=recipe["deepspeed"], local_world_size=8, **options)
    SftArguments._init_deepspeed(read)
    args = TrainingArguments(
        "unused",
        bf16=recipe["torch_dtype"] == "bfloat16",
        use_cpu=True,
        report_to=[],
        accelerator_config={"use_configured_state": True},
        **{name: recipe[name] for name in FORWARDED},
    )
    filled = HfTrainerDeepSpeedConfig(read.deepspeed)
    filled.trainer_config_process(args)
    filled.trainer_config_finalize(
        args, SimpleNamespace(config=Qwen2_5_VLConfig()), num_training_steps=100
    )
    return DeepSpeedConfig(filled.config)


def main() -> None:
    torch.distributed.init_process_group(
        "fake", rank=0, world_size=int(sys.argv[1]), store=FakeStore()
    )
    deepspeed.init_distributed()
    PartialState(backend="fake")
    for recipe in json.load(sys.stdin):
        config = config_of(recipe)
        offload = config.zero_config.offload_optimizer
        print(
            json.dumps(
                {
                    "batch": config.train_batch_size,
                    "micro": config.train_micro_batch_size_per_gpu,
                    "accumulation": config.gradient_accumulation_steps,
                    "bf16": config.bfloat16_config.enabled,
                    "stage": int(config.zero_config.stage),
                    "offload": offload.device if offload else "none",
                }
            )
        )


if __name__ == "__main__":
    main()
