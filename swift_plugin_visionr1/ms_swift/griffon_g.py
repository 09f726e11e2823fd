"""Griffon-G as a model type of ms-swift: `--model_type griffon_g`.

Importing this registers it. The vision tower, the projector (the aligner) and the language model
are freed and frozen, and given LoRA, by ms-swift's own options.
"""

import json
from pathlib import Path
from typing import Any

from swift.model import ModelArch, ModelLoader, ModelMeta, register_model
from swift.template import Template, TemplateMeta, register_template
from swift.template.templates.gemma import GemmaTemplateMeta
from swift.template.templates.utils import ChatmlTemplateMeta
from swift.template.utils import findall

from swift_plugin_visionr1.griffon_g import GriffonGForConditionalGeneration
from swift_plugin_visionr1.griffon_g.published_config import is_published

NAME = "griffon_g"
_SYSTEM = "You are a helpful assistant."


class GriffonGLoader(ModelLoader):
    """Loads a converted checkpoint; none of its code comes with the weights."""

    default_trust_remote_code = False

    def get_config(self, model_dir: str) -> Any:
        """See ModelLoader; a published checkpoint has to be converted first."""
        written = json.loads((Path(model_dir) / "config.json").read_text(encoding="utf-8"))
        if is_published(written):
            raise ValueError(
                f"expected a converted Griffon-G, got the published layout in {model_dir}: "
                f"vision-r1 convert griffon-g {model_dir} NEW_FOLDER, and train NEW_FOLDER"
            )
        return super().get_config(model_dir)

    def get_model(self, model_dir: str, *args: Any, **kwargs: Any) -> Any:
        """See ModelLoader."""
        self.auto_model_cls: Any = self.auto_model_cls or GriffonGForConditionalGeneration
        return super().get_model(model_dir, *args, **kwargs)


class GriffonGTemplate(Template):
    """Gemma's turns, or ChatML for a Qwen2, as the tokenizer has the words for them.

    Each `<image>` becomes as many tokens as an image has visual tokens. Packing is refused: images
    of several rows in one sequence were never tried.
    """

    support_padding_free = False

    def init_processor(self, processor: Any) -> None:
        """See Template."""
        self.placeholder_tokens = ["<image>"]  # which ms-swift extends
        self.norm_bbox = "norm1000"  # whatever --norm_bbox says: it writes fractions
        if processor is not None and self.use_chat_template and not _has_turns(processor):
            system = self.template_meta.default_system
            self.template_meta: TemplateMeta = _chatml(_SYSTEM if system is None else system)
        super().init_processor(processor)

    def replace_tag(self, media_type: str, index: int, inputs: Any) -> list[Any]:
        """An image stands in a line of its own."""
        if media_type != "image":
            raise ValueError(f"expected images, which Griffon-G was trained on, got {media_type}")
        return ["<image>\n"]

    def replace_bbox(self, bbox: list[int], index: int, inputs: Any) -> list[Any]:
        """ms-swift's `<bbox>`, which it gives here from 0 to 1000, as Griffon-G writes it."""
        return ["[" + ",".join(f"{value / 1000:.3f}" for value in bbox) + "]"]

    def _preprocess_inputs(self, inputs: Any) -> None:
        super()._preprocess_inputs(inputs)
        for message in inputs.messages:
            if isinstance(message["content"], str):  # the line end is ours to write
                message["content"] = message["content"].replace("<image>\n", "<image>")

    def _encode(self, inputs: Any) -> dict[str, Any]:
        encoded: dict[str, Any] = super()._encode(inputs)
        if inputs.images:
            self._add_images(encoded, inputs.images)
        return encoded

    def _add_images(self, encoded: dict[str, Any], images: list[Any]) -> None:
        made = self.processor.image_processor(images, return_tensors="pt")
        encoded["pixel_values"] = made["pixel_values"].to(self.model_info.torch_dtype)
        token = self.processor.image_token_id
        tokens = [token] * self.processor.image_seq_length
        names = ("input_ids", "labels", "loss_scale")
        longer = self._extend_tokens(
            *(encoded[name] for name in names),
            findall(encoded["input_ids"], token),
            lambda _: tokens,
        )
        encoded.update(zip(names, longer, strict=True))


def _has_turns(processor: Any) -> bool:
    words = getattr(processor, "tokenizer", processor)
    return "<start_of_turn>" in words.get_vocab()


def _chatml(system: str) -> TemplateMeta:
    return ChatmlTemplateMeta(
        NAME,
        suffix=["<|im_end|>"],  # without ms-swift's line end, which the answers never had
        default_system=system,
        auto_add_bos=False,
        template_cls=GriffonGTemplate,
    )


register_template(GemmaTemplateMeta(NAME, template_cls=GriffonGTemplate), exist_ok=True)
register_model(
    ModelMeta(
        NAME,
        [],
        GriffonGLoader,
        template=NAME,
        model_arch=ModelArch.llava_hf,  # the same names of the parts
        architectures=[GriffonGForConditionalGeneration.__name__],
        is_multimodal=True,
        requires=["transformers>=5"],
        tags=["vision"],
    ),
    exist_ok=True,
)
