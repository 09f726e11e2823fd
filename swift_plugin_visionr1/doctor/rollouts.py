"""The engine that writes the completions in training, asked beside the trainer's own model. Imports
ms-swift; checks/trust.py compares."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from ..errors import SettingsError, VisionR1Error
from ..geometry.frames import Size
from ..models.chat import flag
from ..recipes.training_command import Recipe
from ..text import clipped
from .blame import reraise_own
from .cases import Whole
from .checks.trust import Pair, Side, Words, mean_distance, shorten, trust_findings
from .findings import Finding, problem
from .model import TrainedModel
from .sampling import as_request, open_template, torch_dtype
from .server import Server

TOKENS = 64  # of an answer; more would cost time and tell the same
SAMPLING = {"temperature": 1.0, "top_k": -1, "top_p": 1.0, "repetition_penalty": 1.0}
SYSTEM = "\u2045the system prompt\u2046"  # which no prompt has


def compare_engines(
    wanted: str | None, recipe: Recipe, model: TrainedModel, trainer: Any, cases: Sequence[Whole]
) -> tuple[list[Finding], dict[str, object]]:
    """What differs between the trainer and the engine that writes the completions, and figures.

    Args:
        wanted: the engine; None for the recipe's.
        trainer: ms-swift's TransformersEngine with the model that is trained.
    """
    name = engine_of(recipe, wanted)
    numbers: dict[str, object] = {"engine": name, "logprob_distance": None}
    try:
        answers = ask(open_sampler(name, recipe, model, trainer), cases)
    except Exception as error:  # whatever an engine or a server raises is the finding
        reraise_own(error)
        return [_failure(name, error)], numbers
    pairs = pair_up(answers, trainer, recipe, cases)
    numbers["logprob_distance"] = mean_distance(pairs)
    return trust_findings(name, pairs, find_words(trainer.tokenizer)), numbers


def _failure(name: str, error: Exception) -> Finding:
    kind = "" if isinstance(error, VisionR1Error) else f"{type(error).__name__}: "
    text = f"{name}, which writes the completions, cannot be asked: {kind}"
    what_to_do = (
        "is the server running, and can this machine reach it?"
        if name.startswith("http")
        else "training would meet the same"
    )
    return problem("engine_fails", f"{text}{clipped(str(error), 400)}; {what_to_do}")


def engine_of(recipe: Recipe, wanted: str | None) -> str:
    """`transformers`, `vllm` or the address of a server: as wanted, else as the recipe has it.

    Raises:
        SettingsError: `wanted` is something else.
    """
    if wanted is None:
        inside = recipe.one("vllm_mode") in (None, "colocate")
        return "vllm" if flag(recipe.one("use_vllm")) and inside else "transformers"
    if wanted in ("transformers", "vllm") or wanted.startswith(("http://", "https://")):
        return wanted
    raise SettingsError(
        "expected --engine to be transformers, vllm or the address of a server (http://...), got "
        f"{wanted!r}"
    )


def open_sampler(name: str, recipe: Recipe, model: TrainedModel, trainer: Any) -> Any:
    """The server, or ms-swift's engine of that name; the trainer's own for `transformers`."""
    if name == "transformers":
        return trainer
    return _open_vllm(recipe, model, trainer) if name == "vllm" else Server(name)


def _open_vllm(recipe: Recipe, model: TrainedModel, trainer: Any) -> Any:
    from swift.infer_engine import VllmEngine

    options: dict[str, Any] = {
        "gpu_memory_utilization": recipe.number("vllm_gpu_memory_utilization"),
        "max_model_len": recipe.integer("vllm_max_model_len"),
        "tensor_parallel_size": recipe.integer("vllm_tensor_parallel_size"),
        "max_lora_rank": recipe.integer("vllm_max_lora_rank"),
        "enforce_eager": flag(recipe.one("vllm_enforce_eager")),
    }
    return VllmEngine(
        model.name,
        template=open_template(recipe, trainer.processor),
        torch_dtype=torch_dtype(recipe),
        adapters=list(recipe.all("adapters")),
        **{option: value for option, value in options.items() if value is not None},
    )


def ask(sampler: Any, cases: Sequence[Whole], tokens: int = TOKENS) -> list[dict[str, Any]]:
    """The response to each case's prompt, with the tokens of a sampled answer and their
    log-probabilities, in OpenAI's form as ms-swift extends it."""
    from swift.infer_engine import RequestConfig

    requests = [as_request(case) for case in cases]
    options = {**SAMPLING, "max_tokens": tokens}
    if isinstance(sampler, Server):
        return [sampler.ask(one.messages, one.images, options) for one in requests]
    config = RequestConfig(**options, logprobs=True, return_details=True)
    return [asdict(response) for response in sampler.infer(requests, config, use_tqdm=False)]


def pair_up(
    answers: Sequence[dict[str, Any]], trainer: Any, recipe: Recipe, cases: Sequence[Whole]
) -> list[Pair]:
    """Each row as the engine and as the trainer see it, with the log-probabilities by both.

    The trainer's side is its own path: the row with the answer's tokens, encoded for training, and
    one pass through the network.
    """
    template = open_template(recipe, trainer.processor)
    template.set_mode("train")
    return [
        _pair(case, answer, template, trainer.model)
        for case, answer in zip(cases, answers, strict=True)
    ]


def find_words(tokenizer: Any) -> Words:
    """What the trainer's tokenizer tells of ids."""
    return Words(decoder(tokenizer), frozenset(tokenizer.all_special_ids))


def decoder(tokenizer: Any) -> Callable[[Sequence[int]], str]:
    """Ids to text; some templates have ids below 0 for images."""
    return lambda ids: str(tokenizer.decode([token for token in ids if token >= 0]))


def _pair(case: Whole, answer: dict[str, Any], template: Any, network: Any) -> Pair:
    choice = answer["choices"][0]
    tokens = list(choice.get("token_ids") or [])
    content = (choice.get("logprobs") or {}).get("content") if tokens else None
    engine = Side(
        _prompt(answer, template.tokenizer.pad_token_id),
        answer["usage"]["prompt_tokens"],
        _only(answer.get("images_size")),
        tuple(token["logprob"] for token in content or ()),
    )
    messages = [dict(message) for message in case.row.messages]
    encoded = _encode(template, case, messages, tokens or choice["message"]["content"] or "")
    start = next(n for n, label in enumerate(encoded["labels"]) if label != -100)
    prompt = tuple(encoded["input_ids"][:start])
    images = encoded.pop("template_inputs").images
    size = _only([image.size for image in images if hasattr(image, "size")])
    told = _logprobs(template, network, encoded, start, tokens) if content else ()
    trainer = Side(prompt, len(prompt), size, told)
    return Pair(case.row.place, trainer, engine, *_systems(template, case, messages))


def _prompt(answer: dict[str, Any], pad: int) -> tuple[int, ...]:
    """The prompt that the engine read; empty if it is not told.

    ms-swift takes leading padding tokens away, though a template may have put some there: those are
    counted.
    """
    told = answer.get("prompt_token_ids") or []
    before = answer["usage"]["prompt_tokens"] - len(told) if told else 0
    return (*[pad] * before, *told)


def _only(sizes: Sequence[Any] | None) -> Size | None:
    """(width, height) if there is one image."""
    return (int(sizes[0][0]), int(sizes[0][1])) if sizes and len(sizes) == 1 else None


def _encode(template: Any, case: Whole, messages: list[Any], answer: Any) -> Any:
    """As GRPO's trainer encodes a row: the answer as the tokens that the engine gave."""
    turns = [*messages, {"role": "assistant", "content": answer}]
    row = {"messages": turns, "images": as_request(case).images}
    return template.encode(row, return_template_inputs=True)


def _logprobs(
    template: Any, network: Any, encoded: Any, start: int, tokens: list[int]
) -> tuple[float, ...]:
    """Log-probabilities of the answer's tokens, which follow token `start`."""
    import torch

    batch = template.data_collator([encoded])
    batch.pop("labels", None)
    with torch.inference_mode():
        _, inputs = template.pre_forward_hook(network, (), batch)
        logits = network(**inputs).logits[0, start - 1 : start - 1 + len(tokens)].float()
    chosen = torch.tensor(tokens, device=logits.device)[:, None]
    told: list[float] = logits.log_softmax(-1).gather(-1, chosen)[:, 0].tolist()
    return tuple(told)


def _systems(template: Any, case: Whole, messages: list[Any]) -> tuple[tuple[str, str] | None, str]:
    """The prompt around its system prompt, and without one."""
    turns = [message for message in messages if message["role"] != "system"]

    def prompt(system: str) -> str:
        first = {"role": "system", "content": system}
        encoded = _encode(template, case, [first, *turns], None)
        return decoder(template.tokenizer)(shorten(encoded["input_ids"]))

    before, inside, after = prompt(SYSTEM).partition(SYSTEM)
    return (before, after) if inside else None, prompt("")
