"""Images and prompts as Griffon-G takes them."""

from typing import Any

from transformers import CLIPImageProcessor, CLIPImageProcessorPil, ProcessorMixin
from transformers.processing_utils import MultiModalData

SIDE = 1022  # of the published model
_SQUARE = {"height": SIDE, "width": SIDE}


class GriffonGImageProcessor(CLIPImageProcessor):
    """CLIP's, but the whole image is stretched to a square: no edge is cut off or padded."""

    size = _SQUARE
    crop_size = _SQUARE
    do_center_crop = False


class GriffonGImageProcessorPil(CLIPImageProcessorPil):
    """The same by Pillow, as the published model was trained: pixels differ by rounding."""

    size = _SQUARE
    crop_size = _SQUARE
    do_center_crop = False


class GriffonGProcessor(ProcessorMixin):
    """Expands each `<image>` of a prompt to as many as the image has visual tokens.

    Args:
        image_processor: a `GriffonGImageProcessor`.
        tokenizer: of the language model, with the token `image_token`.
        image_seq_length: visual tokens of an image, as `GriffonGConfig.image_seq_length`.
        image_token: the placeholder.
        chat_template: of Gemma or ChatML (chat.py).
    """

    def __init__(
        self,
        image_processor: Any = None,
        tokenizer: Any = None,
        image_seq_length: int = 1369,
        image_token: str = "<image>",
        chat_template: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.image_seq_length = image_seq_length
        self.image_token = image_token
        self.image_token_id = tokenizer.convert_tokens_to_ids(image_token)
        if self.image_token_id in (None, tokenizer.unk_token_id):
            raise ValueError(
                f"expected a tokenizer with the token {image_token}, got one without it: "
                "convert the published checkpoint with `vision-r1 convert griffon-g`"
            )
        super().__init__(image_processor, tokenizer, chat_template=chat_template)

    def replace_image_token(
        self, image_inputs: dict[str, Any], image_idx: int, **kwargs: Any
    ) -> str:
        """As many placeholders as an image has visual tokens."""
        return self.image_token * self.image_seq_length

    def _get_num_multimodal_tokens(
        self, image_sizes: list[list[int]] | None = None, **kwargs: Any
    ) -> MultiModalData:
        images = len(image_sizes or ())
        return MultiModalData(
            num_image_tokens=[self.image_seq_length] * images, num_image_patches=[1] * images
        )
