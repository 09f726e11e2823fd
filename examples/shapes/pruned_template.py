"""An ms-swift template for a Qwen2.5-VL with a pruned vocabulary: `--external_plugins` this file.

ms-swift's own template has the image token's number of the full vocabulary built in; with another
vocabulary each image would silently get one token. Everything else is ms-swift's Qwen2.5-VL
template.
"""

from typing import Any

from swift.template import register_template
from swift.template.templates.qwen import Qwen2_5VLTemplate, QwenTemplateMeta


class PrunedQwen25VLTemplate(Qwen2_5VLTemplate):
    """Reads the numbers of the image and video tokens from the model's own tokenizer."""

    def init_processor(self, processor: Any) -> None:
        super().init_processor(processor)
        if processor is not None:
            self.image_token_id = self.tokenizer.convert_tokens_to_ids("<|image_pad|>")
            self.video_token_id = self.tokenizer.convert_tokens_to_ids("<|video_pad|>")


register_template(
    QwenTemplateMeta("qwen2_5_vl_pruned", template_cls=PrunedQwen25VLTemplate), exist_ok=True
)
