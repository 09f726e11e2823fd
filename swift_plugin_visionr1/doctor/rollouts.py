"""The engine that writes the completions in training, asked beside the trainer's own model. Imports
ms-swift; checks/trust.py compares."""

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import SettingsError
from ..geometry.frames import Size
from ..models.chat import flag
from ..recipes.training_command import Recipe
from .cases import Whole
from .checks.trust import Pair, Side, Words, mean_distance, shorten, trust_findings
from .findings import Finding
from .model import TrainedModel
from .sampling import as_request, open_template, torch_dtype

TOKENS = 64  # of an answer; more would cost time and tell the same
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
    pairs = ask_both(open_sampler(name, recipe, model, trainer), trainer, recipe, cases)
    words = Words(decoder(trainer.tokenizer), frozenset(trainer.tokenizer.all_special_ids))
    numbers: dict[str, object] = {"engine": name, "logprob_distance": mean_distance(pairs)}
    return trust_findings(name, pairs, words), numbers


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
    """ms-swift's engine of that name; the trainer's own for `transformers`."""
    if name == "transformers":
        return trainer
    if name == "vllm":
        return _open_vllm(recipe, model, trainer)
    from swift.infer_engine import InferClient

    address = name.rstrip("/")
    return InferClient(base_url=address if address.endswith("/v1") else f"{address}/v1")


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


def ask_both(sampler: Any, trainer: Any, recipe: Recipe, cases: Sequence[Whole]) -> list[Pair]:
    """One sampled answer of each case's prompt, with the tokens' log-probabilities by both.

    The trainer's side is its own path: the row with the answer's tokens, encoded for training, and
    one pass through the network.
    """
    from swift.infer_engine import RequestConfig

    config = RequestConfig(
        max_tokens=TOKENS,
        temperature=1.0,
        top_k=-1,
        top_p=1.0,
        repetition_penalty=1.0,
        logprobs=True,
        return_details=True,
    )
    requests = [as_request(case) for case in cases]
    answers = sampler.infer(requests, config, use_tqdm=False)
    template = open_template(recipe, trainer.processor)
    template.set_mode("train")
    return [
        _pair(case, answer, template, trainer.model)
        for case, answer in zip(cases, answers, strict=True)
    ]


def decoder(tokenizer: Any) -> Callable[[Sequence[int]], str]:
    """Ids to text; some templates have ids below 0 for images."""
    return lambda ids: str(tokenizer.decode([token for token in ids if token >= 0]))


def _pair(case: Whole, answer: Any, template: Any, network: Any) -> Pair:
    choice = answer.choices[0]
    tokens = list(choice.token_ids or [])
    content = choice.logprobs["content"] if tokens and choice.logprobs else []
    engine = Side(
        _prompt(answer, template.tokenizer.pad_token_id),
        answer.usage.prompt_tokens,
        _only(answer.images_size),
        tuple(token["logprob"] for token in content),
    )
    messages = [dict(message) for message in case.row.messages]
    encoded = _encode(template, case, messages, tokens or choice.message.content)
    start = next(n for n, label in enumerate(encoded["labels"]) if label != -100)
    prompt = tuple(encoded["input_ids"][:start])
    images = encoded.pop("template_inputs").images
    size = _only([image.size for image in images if hasattr(image, "size")])
    told = _logprobs(template, network, encoded, start, tokens) if content else ()
    trainer = Side(prompt, len(prompt), size, told)
    return Pair(case.row.place, trainer, engine, *_systems(template, case, messages))


def _prompt(answer: Any, pad: int) -> tuple[int, ...]:
    """The prompt that the engine read; empty if it is not told.

    ms-swift takes leading padding tokens away, though a template may have put some there: those are
    counted.
    """
    told = answer.prompt_token_ids or []
    before = answer.usage.prompt_tokens - len(told) if told else 0
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
