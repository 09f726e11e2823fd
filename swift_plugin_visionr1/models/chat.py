"""ms-swift's options that decide what stands around an answer; training and evaluation read them
alike."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..formats import Reasoning

# Where one model type's checkpoints differ in what stands around the answer, ms-swift's template
# tells them apart.
TEMPLATES: dict[str, Reasoning] = {
    "mimo_vl": "think",
    "glm4_5v": "think",
    "minicpmo4_5": "think",
    "gemma4": "think",
}
# These do not think unless told to, with --enable_thinking true.
_THINK_WHEN_TOLD = ("qwen3_vl", "qwen3_vl_moe", "qwen3_omni_moe")
_TRUE = ("yes", "true", "t", "y", "1")  # what transformers' argument parser takes for true
_FALSE = ("no", "false", "f", "n", "0")


@dataclass(frozen=True)
class ChatOptions:
    """What ms-swift is told, or finds by itself, about the text around an answer; None for what is
    not set.

    Attributes:
        template: --template, or the one that ms-swift finds by the model.
        enable_thinking: --enable_thinking.
        response_prefix: --response_prefix, or what the template puts before every response.
    """

    template: str | None = None
    enable_thinking: bool | None = None
    response_prefix: str | None = None

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> "ChatOptions":
        """From ms-swift's arguments, as a command line, a recipe or args.json has them."""
        return cls(
            arguments.get("template") or None,
            flag(arguments.get("enable_thinking")),
            arguments.get("response_prefix"),
        )

    def over(self, other: "ChatOptions") -> "ChatOptions":
        """These options, completed by `other`."""
        return ChatOptions(**(asdict(other) | self.given()))

    def given(self) -> dict[str, Any]:
        """The options that are set, by ms-swift's names."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def reasoning(self, model_type: str, usual: Reasoning) -> Reasoning:
        """What stands around an answer of a model whose family writes the `usual`."""
        reasoning = TEMPLATES.get(self.template or "", usual)
        return "think" if reasoning == "none" and self._opens_reasoning(model_type) else reasoning

    def _opens_reasoning(self, model_type: str) -> bool:
        """Whether ms-swift puts the beginning of reasoning before every response."""
        if self.response_prefix is not None:
            return self.response_prefix.startswith(("<think>", "<|channel>thought"))
        return bool(self.enable_thinking) and model_type in _THINK_WHEN_TOLD


def flag(value: Any) -> bool | None:
    """What ms-swift's argument parser makes of a truth value; None for anything else."""
    text = str(value).lower()
    return True if text in _TRUE else False if text in _FALSE else None
