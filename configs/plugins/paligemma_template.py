"""ms-swift's template for PaliGemma, made fit for GRPO: `--external_plugins` this file,
`--template paligemma_grpo`.

ms-swift 4.6.0's own looks for the end of the prompt one place too far
(swift/template/templates/gemma.py:51), which raises IndexError where there is no answer yet, as
GRPO has it (grpo_trainer.py:321), and takes the prompt's last token for the answer's first one,
which may then not look ahead within the prompt.
"""

from typing import Any

from swift.template import TemplateMeta, register_template
from swift.template.templates.gemma import PaliGemmaTemplate


class PaliGemmaGRPOTemplate(PaliGemmaTemplate):
    """Tells the prompt (token type 0: every token sees every other) from the answer (1: sees what
    came before)."""

    def _encode(self, inputs: Any) -> dict[str, Any]:
        encoded = super(PaliGemmaTemplate, self)._encode(inputs)
        size = len(encoded["input_ids"])
        labels = encoded["labels"] or [-100] * size
        prompt = next((place for place, label in enumerate(labels) if label != -100), size)
        encoded["token_type_ids"] = [0] * prompt + [1] * (size - prompt)
        if inputs.images:
            made = self.processor.image_processor(inputs.images, return_tensors="pt")
            encoded["pixel_values"] = made["pixel_values"].to(self.model_info.torch_dtype)
        return encoded


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
