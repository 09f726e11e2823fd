"""The tokenizer of a published checkpoint, with a token for images and without."""

import json
import shutil
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from ..errors import InputError
from .chat import CHATS
from .configuration import GriffonGConfig

IMAGE = "<image>"
_KEPT = ("tokenizer.model", "vocab.json", "merges.txt")  # which other programs read


def read_tokenizer(folder: Path, config: GriffonGConfig) -> PreTrainedTokenizerBase:
    """The folder's tokenizer, with `<image>`.

    Raises:
        InputError: the folder has no tokenizer.
    """
    try:
        words = AutoTokenizer.from_pretrained(folder, config=config.text_config)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"expected a tokenizer in {folder}, got {error}") from None
    if IMAGE not in words.get_vocab():
        words.add_special_tokens(
            {"extra_special_tokens": [IMAGE]}, replace_extra_special_tokens=False
        )
    return words


def end_tokens(words: PreTrainedTokenizerBase, config: GriffonGConfig) -> list[int]:
    """The tokens that end an answer: the turn's end, and the text's."""
    end = words.get_vocab().get(CHATS[config.text_config.model_type].end)
    return [token for token in dict.fromkeys((end, words.eos_token_id)) if token is not None]


def copy_vocabulary(source: Path, out: Path) -> None:
    """Files of the tokenizer that transformers does not write again."""
    for name in _KEPT:
        if (source / name).is_file() and not (out / name).exists():
            shutil.copyfile(source / name, out / name)


def forget_image(folder: Path) -> None:
    """Take `<image>` out of the tokenizer's files again."""
    path = folder / "tokenizer.json"
    if path.is_file():
        _rewrite(path, _without_added)
    path = folder / "tokenizer_config.json"
    if path.is_file():
        _rewrite(path, _without_listed)


def _rewrite(path: Path, change: Any) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")


def _without_added(content: dict[str, Any]) -> None:
    content["added_tokens"] = [t for t in content["added_tokens"] if t["content"] != IMAGE]


def _without_listed(content: dict[str, Any]) -> None:
    for name in ("extra_special_tokens", "additional_special_tokens"):
        if isinstance(content.get(name), list):
            content[name] = [token for token in content[name] if token != IMAGE]
    decoder = content.get("added_tokens_decoder") or {}
    for number in [k for k, token in decoder.items() if token.get("content") == IMAGE]:
        del decoder[number]
    content.pop("processor_class", None)
