"""What a model's name or folder tells about it, without loading it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .chat import ChatOptions
from .families import model_type_of

# What names of checkpoints on a hub say of their model type; the first that matches. In a family
# the mixtures of experts ("-A3B") come first, and versions before the family's own name.
_NAMES = (
    ("embedding|reranker|gme-qwen", None),  # these write no text
    ("rex[._-]?omni", "qwen2_5_vl"),
    (r"qwen3[._]8-flash", "qwen4_exp"),
    (r"qwen3[._]?[5-9](?!b).*-a\d+b", "qwen3_5_moe"),
    ("qwen3[._]?[5-9](?!b)", "qwen3_5"),
    (r"qwen3[._-]?vl.*-a\d+b", "qwen3_vl_moe"),
    ("qwen3[._-]?vl", "qwen3_vl"),
    ("qwen3[._-]?omni", "qwen3_omni_moe"),
    ("qwen2[._]5[._-]?omni", "qwen2_5_omni"),
    ("qwen2[._]5[._-]?vl", "qwen2_5_vl"),
    ("qwen2[._-]?vl", "qwen2_vl"),
    ("qwen[._-]?vl", "qwen_vl"),
    ("qvq|ui-tars-(2b|7b|72b)|mineru2[._]5|olmocr-7b-0225", "qwen2_vl"),
    ("paligemma", "paligemma"),
    ("florence", "florence"),
    ("internvl.*-hf$", "internvl"),
    ("internvl", "internvl_chat"),
    ("glm-4[._]1v|glm-4[._]6v-flash|autoglm-phone|glyph", "glm4v"),
    ("glm-4[._][56]v", "glm4v_moe"),
    ("deepseek-vl2", "deepseek_vl2"),
    ("gemma-?3-(1b|270m)|gemma.*-text", None),
    ("medgemma|gemma-?3(?!n)", "gemma3_vision"),
    ("gemma-?4-12b", "gemma4_unified"),
    ("gemma-?4", "gemma4"),
    ("ovis2[._]5", "ovis2_5"),
    ("minicpm-v-2[._]6", "minicpmv2_6"),
    (r"minicpm-v-4(?![._]?\d)", "minicpmv4"),
    ("minicpm-v-4[._]5", "minicpmv4_5"),
    ("minicpm-v-4[._]6", "minicpmv4_6"),
    ("minicpm-v-4[._]7", "minicpmv4_7"),
    ("minicpm-o", "minicpmo"),
    ("mimo-vl", "qwen2_5_vl"),
    ("cogvlm(?!2)", "cogvlm"),
    ("cogagent-chat", "cogagent_chat"),
    ("griffon[._-]?g", "griffon_g"),
    ("griffon", "griffon"),
    (r"kosmos-2(?!\.5)", "kosmos2"),
)
# And of ms-swift's template, where a model type has several.
_TEMPLATES = (
    ("mimo-vl", "mimo_vl"),
    ("glm-4[._]6v-flash|^glyph$", "glm4_5v"),
    ("minicpm-o-4[._]5", "minicpmo4_5"),
    ("gemma-?4-(31b|26b|12b)", "gemma4"),
)


@dataclass(frozen=True)
class Checkpoint:
    """A model that somebody named.

    Attributes:
        folder: where its files are; None if they are not on this machine.
        model_type: ms-swift's name of its family, by config.json, else by the checkpoint's name;
            None if neither tells.
        source: where that is from, in words.
        processor: the fields of its image processor; empty if unknown.
        chat: the template and the response prefix by the args.json that ms-swift left in the
            folder, else the template by the checkpoint's name.
    """

    folder: Path | None
    model_type: str | None
    source: str
    processor: Mapping[str, Any] = field(default_factory=dict)
    chat: ChatOptions = ChatOptions()

    @property
    def has_weights(self) -> bool:
        """Whether the weights are on this machine."""
        return self.folder is not None and any(
            next(self.folder.glob(pattern), None) for pattern in ("*.safetensors", "*.bin")
        )


def find_checkpoint(name: str | None, adapters: Sequence[str] = ()) -> Checkpoint:
    """The checkpoint called `name`: a folder, or a hub's id.

    Args:
        name: of the model.
        adapters: folders or hub ids of the LoRA adapters on it. Where one has an args.json, that
            file counts instead of the model's, as in ms-swift.
    """
    folder = Path(name) if name and Path(name).is_dir() else None
    kept, place = kept_arguments(name, adapters)
    chat = _chat(name or "", kept)
    if folder and (config := read_json(folder / "config.json")):
        source = f"{folder}/config.json"
        return Checkpoint(folder, model_type_of(config), source, _processor(folder), chat)
    if isinstance(kept.get("model_type"), str):
        return Checkpoint(folder, kept["model_type"], f"{place}/args.json", chat=chat)
    for pattern, kind in _NAMES:
        if re.search(pattern, name or "", re.IGNORECASE):
            return Checkpoint(folder, kind, f"the name {name}", chat=chat)
    return Checkpoint(folder, None, "nowhere", chat=chat)


def kept_arguments(
    name: str | None, adapters: Sequence[str] = ()
) -> tuple[Mapping[str, Any], Path | None]:
    """What ms-swift's inference loads from an args.json: the first adapter's, else the model's.

    Returns:
        The arguments and their folder; empty and None if no folder has that file.
    """
    named = [*adapters, *([name] if name else [])]
    place = next((Path(one) for one in named if (Path(one) / "args.json").is_file()), None)
    return (read_json(place / "args.json") if place else {}), place


def base_of_adapter(folder: Path) -> str | None:
    """The model that a LoRA adapter was trained on, a folder or a hub's id; None if unknown.

    ms-swift's args.json comes first, then PEFT's adapter_config.json; a folder that is there wins.
    """
    named = [
        read_json(folder / "args.json").get("model"),
        read_json(folder / "adapter_config.json").get("base_model_name_or_path"),
    ]
    known = [name for name in named if isinstance(name, str) and name]
    here = [name for name in known if Path(name).is_dir()]
    return next(iter([*here, *known]), None)


def read_json(path: Path) -> Mapping[str, Any]:
    """The object in a JSON file; empty without one."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _processor(folder: Path) -> Mapping[str, Any]:
    """The fields in preprocessor_config.json, or in the place where newer transformers keep
    them."""
    config = read_json(folder / "preprocessor_config.json")
    return config or read_json(folder / "processor_config.json").get("image_processor") or {}


def _chat(name: str, arguments: Mapping[str, Any]) -> ChatOptions:
    """As ms-swift's inference finds it; --enable_thinking is not kept with a checkpoint."""
    kept = ChatOptions.of(arguments)
    last = Path(name).name  # as ms-swift takes it
    by_name = (kind for pattern, kind in _TEMPLATES if re.search(pattern, last, re.IGNORECASE))
    return ChatOptions(kept.template or next(by_name, None), None, kept.response_prefix)
