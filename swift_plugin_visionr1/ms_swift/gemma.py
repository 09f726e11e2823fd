"""What ms-swift 4.6 needs to train PaliGemma and Gemma 4: a template, and a patch of its patch.

PaliGemma, `--template paligemma_grpo`: ms-swift's own template looks for the end of the prompt one
place too far (swift/template/templates/gemma.py:51), which raises IndexError where there is no
answer yet, as GRPO has it (grpo_trainer.py:321), and takes the prompt's last token for the answer's
first one, which may then not look ahead within the prompt.

Gemma 4: ms-swift's own forward (swift/model/models/gemma.py:297) takes an image's features for one
tensor. From transformers 5.16 on they are a tuple, a tensor for each image.
"""

from collections.abc import Callable
from typing import Any

import torch
from swift.model.models import gemma
from swift.template.register import TemplateMeta, register_template
from swift.template.templates.gemma import PaliGemmaTemplate


class PaliGemmaGRPOTemplate(PaliGemmaTemplate):
    """Tells the prompt (token type 0: every token sees every other) from the answer (1: sees what
    came before)."""

    def _encode(self, inputs: Any) -> dict[str, Any]:
        encoded: dict[str, Any] = super(PaliGemmaTemplate, self)._encode(inputs)
        size = len(encoded["input_ids"])
        labels = encoded["labels"] or [-100] * size
        prompt = next((place for place, label in enumerate(labels) if label != -100), size)
        encoded["token_type_ids"] = [0] * prompt + [1] * (size - prompt)
        if inputs.images:
            made = self.processor.image_processor(inputs.images, return_tensors="pt")
            encoded["pixel_values"] = made["pixel_values"].to(self.model_info.torch_dtype)
        return encoded


def joining(features: Callable[..., Any]) -> Callable[..., Any]:
    """Gemma 4's `get_image_features`, whose features of several images are one tensor: (tokens,
    width)."""

    def joined(*args: Any, **kwargs: Any) -> Any:
        output = features(*args, **kwargs)
        if isinstance(output.pooler_output, tuple):
            output.pooler_output = torch.cat(output.pooler_output)
        return output

    return joined


def with_joined_features(patch: Callable[..., None]) -> Callable[..., None]:
    """ms-swift's patch of a Gemma 4, which also joins the features of its images."""

    def patched(model: Any, *args: Any, **kwargs: Any) -> None:
        patch(model, *args, **kwargs)
        model.get_image_features = joining(model.get_image_features)

    return patched


gemma._patch_gemma4_forward = with_joined_features(gemma._patch_gemma4_forward)
register_template(
    TemplateMeta(
        "paligemma_grpo",
        prefix=[],
        prompt=["{{QUERY}}\n"],
        chat_sep=None,
        suffix=["<eos>"],
        template_cls=PaliGemmaGRPOTemplate,
    ),
    exist_ok=True,
)
