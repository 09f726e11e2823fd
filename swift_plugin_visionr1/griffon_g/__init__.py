"""Griffon-G, the paper's first model, in transformers' idiom; importing this registers it with the
Auto classes."""

from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoProcessor,
)

from .configuration import GriffonGConfig
from .modeling import GriffonGForConditionalGeneration, GriffonGModel
from .processing import GriffonGImageProcessor, GriffonGImageProcessorPil, GriffonGProcessor

AutoConfig.register("griffon_g", GriffonGConfig, exist_ok=True)
AutoModel.register(GriffonGConfig, GriffonGModel, exist_ok=True)
for _auto in (AutoModelForImageTextToText, AutoModelForCausalLM):  # ms-swift uses the latter
    _auto.register(GriffonGConfig, GriffonGForConditionalGeneration, exist_ok=True)
AutoImageProcessor.register(
    GriffonGConfig,
    image_processor_classes={
        "torchvision": GriffonGImageProcessor,
        "pil": GriffonGImageProcessorPil,
    },
    exist_ok=True,
)
AutoProcessor.register(GriffonGConfig, GriffonGProcessor, exist_ok=True)

__all__ = [
    "GriffonGConfig",
    "GriffonGForConditionalGeneration",
    "GriffonGImageProcessor",
    "GriffonGImageProcessorPil",
    "GriffonGModel",
    "GriffonGProcessor",
]
