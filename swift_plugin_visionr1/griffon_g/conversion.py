"""`vision-r1 convert griffon-g`: a checkpoint from the published layout into ours, or back.

Nothing is written before every name and shape fits.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, CLIPImageProcessor, GenerationConfig

from ..errors import InputError
from ..files import read_json
from ..writing import check_output
from .chat import CHATS
from .configuration import GriffonGConfig
from .matching import WORDS, Matched, check, rename
from .processing import GriffonGImageProcessor, GriffonGProcessor
from .published_config import our_config, their_config
from .published_names import TOWER, TOWER_ALONE, from_tower, to_ours, to_published
from .tower_folder import TowerFolder, find_tower
from .weight_files import Weight, dtype_of, find_weights, write_config, write_weights
from .words import IMAGE, copy_vocabulary, end_tokens, forget_image, read_tokenizer


@dataclass(frozen=True)
class Conversion:
    """What was written.

    Attributes:
        layout: `transformers` or `published`.
        weights: how many.
        shards: files of weights.
        bytes: of the weights.
        counting: weights of the counting branch, which were left out.
    """

    layout: str
    weights: int
    shards: int
    bytes: int
    counting: int = 0


def convert(source: Path, out: Path, tower: Path | None = None) -> Conversion:
    """Convert a folder into the other layout.

    Args:
        source: a published checkpoint, or one of ours (after LoRA, merged).
        out: a folder that does not exist yet, or is empty.
        tower: the folder of the vision tower, if it is not where config.json says.

    Raises:
        InputError: the folder does not hold a Griffon-G, or weights do not fit by name or shape.
        OSError: it cannot be read or written.
    """
    if not (source / "config.json").is_file():
        raise InputError(f"expected a folder with config.json, got {source}")
    check_output(out, [source, tower], folder=True)
    if out.exists() and any(out.iterdir()):
        raise InputError(f"expected a new or empty folder to write to, got {out}")
    config = read_json(source / "config.json")
    if config.get("model_type") == GriffonGConfig.model_type:
        return _to_published(source, out)
    return _to_ours(source, out, config, tower)


def _to_ours(source: Path, out: Path, published: Any, given: Path | None) -> Conversion:
    folder = find_tower(source, published, given)
    matched = _with_tower(rename(find_weights(source), to_ours), folder, source)
    vision, side = folder.sized(matched.weights)
    config = our_config(published, vision, side)
    words = read_tokenizer(source, config)
    config.image_token_id = words.convert_tokens_to_ids(IMAGE)
    weights = check(matched.weights, config)
    config.dtype = dtype_of(weights[WORDS])
    with _new_folder(out, weights.values()) as part:
        shards = write_weights(part, ((weight, name) for name, weight in weights.items()))
        config.architectures = ["GriffonGForConditionalGeneration"]
        config.save_pretrained(part)
        _processor(config, words, folder).save_pretrained(part)
        _generation(source, config, words).save_pretrained(part)
        copy_vocabulary(source, part)
    return _converted("transformers", weights, shards, matched.counting)


def _to_published(source: Path, out: Path) -> Conversion:
    config = GriffonGConfig.from_pretrained(source)
    weights = check({weight.name: weight for weight in find_weights(source)}, config)
    with _new_folder(out, weights.values()) as part:
        shards = write_weights(part, ((w, to_published(name)) for name, w in weights.items()))
        write_config(part, their_config(config))
        AutoTokenizer.from_pretrained(source, config=config.text_config).save_pretrained(part)
        forget_image(part)
        copy_vocabulary(source, part)
        if (source / "generation_config.json").is_file():
            shutil.copyfile(source / "generation_config.json", part / "generation_config.json")
        _write_tower(source, part / "vision_tower", weights, config)
    return _converted("published", weights, shards, 0)


def _with_tower(matched: Matched, folder: TowerFolder, source: Path) -> Matched:
    """With the tower's own folder in the place of weights that the checkpoint does not hold."""
    if any(name.startswith(TOWER) for name in matched.weights):
        return matched
    if folder.path is None:
        raise InputError(
            f"expected the vision tower's weights in {source} or beside it, got neither: download "
            "JefferyZhan/clip-vit-large-path14-336_to_1022 and give its folder as --vision-tower"
        )
    tower = rename(find_weights(folder.path), from_tower)
    return Matched(matched.weights | tower.weights, matched.counting)


def _write_tower(
    source: Path, out: Path, weights: dict[str, Weight], config: GriffonGConfig
) -> None:
    out.mkdir()
    tower = {name: w for name, w in weights.items() if name.startswith(TOWER)}
    write_weights(out, ((w, TOWER_ALONE + n.removeprefix(TOWER)) for n, w in tower.items()))
    config.vision_config.save_pretrained(out)
    ours = GriffonGImageProcessor.from_pretrained(source)
    same = {name: getattr(ours, name) for name in ("size", "crop_size", "image_mean", "image_std")}
    CLIPImageProcessor(**same, do_center_crop=False).save_pretrained(out)


def _processor(config: GriffonGConfig, words: Any, folder: TowerFolder) -> GriffonGProcessor:
    side = {"height": config.image_size, "width": config.image_size}
    given = {k: v for k, v in folder.processor.items() if k in ("image_mean", "image_std")}
    images = GriffonGImageProcessor(size=side, crop_size=side, **given)
    template = CHATS[config.text_config.model_type].template
    return GriffonGProcessor(images, words, config.image_seq_length, IMAGE, chat_template=template)


def _generation(source: Path, config: GriffonGConfig, words: Any) -> GenerationConfig:
    """Answers end where the model was taught, and hold no image."""
    if (source / "generation_config.json").is_file():
        generation = GenerationConfig.from_pretrained(source)
    else:
        generation = GenerationConfig.from_model_config(config.text_config)
    generation.eos_token_id = end_tokens(words, config)
    generation.pad_token_id = words.pad_token_id
    if config.image_token_id < config.text_config.vocab_size:
        generation.suppress_tokens = [config.image_token_id]
    return generation


def _converted(layout: str, weights: dict[str, Weight], shards: int, counting: int) -> Conversion:
    return Conversion(
        layout, len(weights), shards, sum(weight.bytes for weight in weights.values()), counting
    )


@contextmanager
def _new_folder(out: Path, weights: Any) -> Iterator[Path]:
    """A folder beside `out`, which takes its name once everything is in it."""
    out.parent.mkdir(parents=True, exist_ok=True)
    needed = sum(weight.bytes for weight in weights)
    free = shutil.disk_usage(out.parent).free
    if free < needed:
        raise InputError(
            f"expected {needed / 1e9:.1f} GB of free disk space for {out}, got {free / 1e9:.1f} GB"
        )
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        yield part
        if out.exists():
            out.rmdir()
        part.rename(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
