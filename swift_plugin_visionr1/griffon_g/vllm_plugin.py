"""Griffon-G among vLLM's models. vLLM calls `register` in each of its processes, by the entry point
`vllm.general_plugins`."""

from .modeling import GriffonGForConditionalGeneration


def register() -> None:
    """Add Griffon-G to vLLM's registry; the model itself is imported when a checkpoint names it."""
    from vllm import ModelRegistry

    name = GriffonGForConditionalGeneration.__name__
    if name not in ModelRegistry.get_supported_archs():
        ModelRegistry.register_model(name, f"{__package__}.vllm_model:GriffonGForVllm")
