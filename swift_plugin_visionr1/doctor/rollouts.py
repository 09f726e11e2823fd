"""The engine that writes the completions in training, asked beside the trainer's own model. Imports
ms-swift; checks/trust.py compares."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..data.published.base import IMAGE_TAG
from ..errors import SettingsError
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
    text = f"{name}, which writes the completions, cannot be asked: {type(error).__name__}: "
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


def ask(sampler: Any, cases: Sequence[Whole], tokens: int = TOKENS) -> list[Any]:
    """The engine's answer to each case's prompt, sampled, with its tokens and their
    log-probabilities."""
    from swift.infer_engine import InferClient, RequestConfig

    config = RequestConfig(
        max_tokens=tokens,
        temperature=1.0,
        top_k=-1,
        top_p=1.0,
        repetition_penalty=1.0,
        logprobs=True,
        return_details=True,
    )
    requests = [as_request(case) for case in cases]
    if isinstance(sampler, InferClient):
        requests = [in_openai_form(request) for request in requests]
    return list(sampler.infer(requests, config, use_tqdm=False))


def in_openai_form(request: Any) -> Any:
    """The request with its images inside the messages, where every server looks for them."""
    from swift.infer_engine import InferRequest

    contents = [message["content"] for message in request.messages]
    if not all(isinstance(part, str) for part in (*contents, *request.images)):
        return request
    images = iter(request.images)
    missing = len(request.images) - sum(text.count(IMAGE_TAG) for text in contents)
    messages = []
    for message in request.messages:
        content = message["content"]
        if message["role"] == "user":
            content = _parts(IMAGE_TAG * missing + content, images)
            missing = 0  # ms-swift puts them first
        messages.append({**message, "content": content})
    return InferRequest(messages=messages)


def _parts(text: str, images: Iterator[Any]) -> list[dict[str, Any]]:
    first, *others = text.split(IMAGE_TAG)
    parts: list[dict[str, Any]] = [{"type": "text", "text": first}]
    for other in others:
        parts.append({"type": "image_url", "image_url": {"url": next(images)}})
        parts.append({"type": "text", "text": other})
    return [part for part in parts if part.get("text") != ""]


def pair_up(
    answers: Sequence[Any], trainer: Any, recipe: Recipe, cases: Sequence[Whole]
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
