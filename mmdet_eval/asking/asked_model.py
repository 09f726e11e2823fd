"""The model that `mmdet-eval run` asks, as options of `swift infer`."""

import argparse
from dataclasses import dataclass

from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.models.chat import ChatOptions

from .reading_record import ReadingRecord

# How many answers are written to disk at a time, so an interruption loses at most this many. vLLM
# works on one such batch at a time.
WRITE_BATCH = {"transformers": 128, "vllm": 1024}
# About 100 boxes, COCO's limit. Without one, a single endless answer holds up the others.
MAX_NEW_TOKENS = 4096
TRUE = ("yes", "true", "t", "y", "1")  # for transformers' argument parser


@dataclass(frozen=True)
class AskedModel:
    """What is asked.

    Attributes:
        path: folder or hub id.
        backend: `swift infer`'s inference backend.
        max_pixels: its --max_pixels, part of the frame of the answers; None for no limit.
        options: further arguments of `swift infer`; they override ours.
        logprobs: whether the answers' token probabilities are needed.
        model_type: ms-swift's name of its family, if ms-swift cannot find it out.
        chat: the template and thinking options passed to ms-swift.
        reading: how its answers are read; stored in run.json.
    """

    path: str
    backend: str = "transformers"
    max_pixels: int | None = None
    options: tuple[str, ...] = ()
    logprobs: bool = False
    model_type: str | None = None
    chat: ChatOptions = ChatOptions()
    reading: ReadingRecord | None = None

    def arguments(self) -> list[str]:
        """The arguments of `swift infer`: greedy decoding, and further options as given."""
        options = {
            "model": self.path,
            "infer_backend": self.backend,
            "temperature": 0,
            "max_new_tokens": MAX_NEW_TOKENS,
            "write_batch_size": WRITE_BATCH.get(self.backend, 128),
        }
        if self.max_pixels is not None:
            options["max_pixels"] = self.max_pixels
        if self.model_type is not None:
            options["model_type"] = self.model_type
        options |= {name: _word(value) for name, value in self.chat.given().items()}
        if self.logprobs:
            options["logprobs"] = "true"
        return [
            text for name, value in options.items() for text in (f"--{name}", str(value))
        ] + list(self.options)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def records_logprobs(model: AskedModel) -> bool:
    """Whether `swift infer` is told to record token probabilities.

    Raises:
        InputError: the model's options turn off probabilities that are needed.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--logprobs", nargs="?", const="true", default="false")
    asked = parser.parse_known_args(model.arguments())[0].logprobs
    records = asked.lower() in TRUE
    if model.logprobs and not records:
        raise InputError(
            f"expected --logprobs true for scores by token probabilities, got {asked}: leave it "
            "out, or use a --score that needs no log-probabilities"
        )
    return records
