"""The model itself: what its processor feeds it, and what it answers. Imports ms-swift and uses its
engine."""

from collections.abc import Sequence
from typing import Any

from ..console import warn
from ..geometry.frames import Size
from ..recipes.training_command import Recipe
from .cases import Whole
from .checks.answers import Group
from .checks.lengths import DEFAULT_LENGTH
from .findings import Finding, note, ok, problem
from .model import TrainedModel
from .swift_data import as_swift

TEMPERATURE = 0.9  # ms-swift's default for GRPO
SMALL = 500_000_000  # bytes of weights that a CPU samples from in minutes


def is_quick(model: TrainedModel) -> bool:
    """Whether sampling takes minutes at most: with a GPU, or with a small model on the CPU."""
    folder = model.checkpoint.folder
    if folder is None or not model.checkpoint.has_weights:
        return False
    if sum(file.stat().st_size for file in folder.glob("*.safetensors")) < SMALL:
        return True
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())


def open_engine(recipe: Recipe, model: TrainedModel, batch: int) -> Any:
    """ms-swift's TransformersEngine with the model, template and limits of the recipe."""
    as_swift(recipe)
    from swift.infer_engine import TransformersEngine
    from swift.model import get_model_processor

    network, processor = get_model_processor(
        model.name, model_type=recipe.one("model_type"), torch_dtype=torch_dtype(recipe)
    )
    template = open_template(recipe, processor)
    adapters = list(recipe.all("adapters"))
    return TransformersEngine(network, template=template, adapters=adapters, max_batch_size=batch)


def torch_dtype(recipe: Recipe) -> Any:
    """The recipe's; None for the checkpoint's own."""
    import torch

    name = recipe.one("torch_dtype")
    return getattr(torch, name) if name else None


def open_template(recipe: Recipe, processor: Any) -> Any:
    """The template and limits of the recipe."""
    from swift.template import get_template

    return get_template(
        processor,
        recipe.one("system"),
        template_type=recipe.one("template"),
        max_pixels=recipe.integer("max_pixels"),
        response_prefix=recipe.one("response_prefix"),
    )


def as_request(case: Whole) -> Any:
    """The row's question about its image."""
    from swift.infer_engine import InferRequest

    image = case.row.image if case.file.path is None else str(case.file.path)
    return InferRequest(messages=[dict(message) for message in case.row.messages], images=[image])


def processed_findings(engine: Any, cases: Sequence[Whole]) -> list[Finding]:
    """The sizes that the model's own processor makes, against those that the reward assumes."""
    compared = [
        (case, size) for case in cases if (size := _fed_size(engine.template, case)) is not None
    ]
    if not compared:
        return [
            note(
                "processed",
                "what the processor feeds the model has no size to compare with the reward's",
            )
        ]
    wrong = [(case, size) for case, size in compared if size != case.view.processed]
    if not wrong:
        text = (
            f"the model's own processor makes of {len(compared)} images the sizes that the "
            "reward assumes"
        )
        return [ok("processed", text)]
    case, size = wrong[0]
    text = (
        f"the model's own processor makes {size} of {case.row.place}, of {case.view.size}, the "
        "reward assumes "
    )
    text += f"{case.view.processed}: another model_type, or limits that the reward does not see"
    return [problem("processed", text)]


def _fed_size(template: Any, case: Whole) -> Size | None:
    """(width, height) in pixels of what the vision tower is fed; None if it is not one image."""
    encoded = template.encode(as_request(case))
    grid = encoded.get("image_grid_thw")
    if grid is not None:
        patch = template.processor.image_processor.patch_size
        _, height, width = (int(side) for side in grid[0])
        return width * patch, height * patch
    pixels = encoded.get("pixel_values")
    if pixels is None or pixels.ndim != 4 or len(pixels) != 1:
        return None
    return int(pixels.shape[-1]), int(pixels.shape[-2])


def sample(engine: Any, cases: Sequence[Whole], samples: int, recipe: Recipe) -> list[Group]:
    """`samples` completions of each case's prompt, with the recipe's sampling settings."""
    from swift.infer_engine import RequestConfig
    from transformers import set_seed

    temperature, penalty = recipe.number("temperature"), recipe.number("repetition_penalty")
    config = RequestConfig(
        max_tokens=recipe.integer("max_completion_length") or DEFAULT_LENGTH,
        temperature=TEMPERATURE if temperature is None else temperature,
        top_p=recipe.number("top_p") or 1.0,
        top_k=recipe.integer("top_k") or -1,
        repetition_penalty=penalty or 1.0,
    )
    warn(f"sampling {samples} completions of {len(cases)} prompts ...")
    set_seed(42)
    requests = [as_request(case) for case in cases for _ in range(samples)]
    choices = [response.choices[0] for response in engine.infer(requests, config, use_tqdm=False)]
    groups = []
    for number, case in enumerate(cases):
        completions = choices[number * samples : (number + 1) * samples]
        texts = tuple(str(choice.message.content) for choice in completions)
        groups.append(
            Group(
                case.truth,
                case.view,
                texts,
                tuple(choice.finish_reason == "length" for choice in completions),
            )
        )
    return groups
