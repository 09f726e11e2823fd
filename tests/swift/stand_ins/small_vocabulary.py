"""For `--external_plugins`: ms-swift's Qwen-VL and GLM templates, with the image tokens' numbers of
the tokenizer.

The numbers of the published vocabularies are built into them. Sampling from 150,000 tokens would be
most of the work of a tiny model; with the example's 413 a run takes seconds.
"""

from collections.abc import Callable
from typing import Any

from swift.template.templates.glm import GLM4VTemplate
from swift.template.templates.qwen import Qwen2VLTemplate

TOKENS = {
    Qwen2VLTemplate: {"image_token_id": "<|image_pad|>", "video_token_id": "<|video_pad|>"},
    GLM4VTemplate: {
        "begin_of_image_token": "<|begin_of_image|>",
        "end_of_image_token": "<|end_of_image|>",
    },
}


def reading(init_processor: Callable[..., None], tokens: dict[str, str]) -> Callable[..., None]:
    """`init_processor`, after which the attributes hold the tokens' numbers in the model's own
    vocabulary."""

    def init(self: Any, processor: Any) -> None:
        init_processor(self, processor)
        if processor is not None:
            for name, token in tokens.items():
                setattr(self, name, self.tokenizer.convert_tokens_to_ids(token))

    return init


for template, tokens in TOKENS.items():
    template.init_processor = reading(template.init_processor, tokens)
