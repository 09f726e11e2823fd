"""Decides what may be recorded of the options passed on to ms-swift."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

# Options whose values are recorded as they are. For others a hash is recorded, for secrets nothing.
CLEAR = frozenset(
    [
        "adapters",
        "add_version",
        "agent_template",
        "attn_impl",
        "bnb_4bit_compute_dtype",
        "bnb_4bit_quant_storage",
        "bnb_4bit_quant_type",
        "bnb_4bit_use_double_quant",
        "ckpt_dir",
        "custom_dataset_info",
        "custom_register_path",
        "device_map",
        "do_sample",
        "enable_thinking",
        "eval_backend",
        "eval_dataset",
        "eval_generation_config",
        "eval_limit",
        "experts_impl",
        "external_plugins",
        "frequency_penalty",
        "infer_backend",
        "load_args",
        "logprobs",
        "max_length",
        "max_model_len",
        "max_new_tokens",
        "max_pixels",
        "merge_lora",
        "min_pixels",
        "model",
        "model_revision",
        "model_type",
        "norm_bbox",
        "num_beams",
        "padding_side",
        "presence_penalty",
        "quant_bits",
        "quant_method",
        "repetition_penalty",
        "response_prefix",
        "resume_from_checkpoint",
        "rope_scaling",
        "seed",
        "stop_words",
        "system",
        "task_type",
        "temperature",
        "template",
        "template_backend",
        "top_k",
        "top_logprobs",
        "top_p",
        "torch_dtype",
        "truncation_strategy",
        "tuner_backend",
        "use_chat_template",
        "use_hf",
    ]
)
CLEAR_BACKENDS = ("vllm_", "sglang_", "lmdeploy_")
SECRET = re.compile(
    r"((^|_)(tokens?|keys?|secrets?|pass|pwd|credentials?|auth|authorization|cookies?)|apikey|"
    r"passwords?|passwd|passphrase)$"
)
SECRET_OPTIONS = ("api_key", "hub_token", "hf_token", "swanlab_token")  # of ms-swift
# `"hf_token": "x"`, `api_key=x`, `--api-key x` or `Authorization: Bearer x` inside a value: JSON, a
# URL, further options, a header.
INSIDE = re.compile(
    r"""(?<![\w-])([\w-]{1,99})[\\"']{0,4}(?:\s{0,9}[:=]\s{0,9}|\s{1,9})(?=[\\"']{0,4}"""
    r"""(?i:(?:bearer|basic|token|digest)\s+)?((?<=")[^"\\]{1,500}|(?<=')[^'\\]{1,500}|"""
    r"""[^"'\s,;&{}\[\]\\]{1,500}))"""
)
# `Bearer x` by itself; a word of letters alone is prose.
SCHEME = re.compile(r"\b(?i:bearer|basic)\s{1,9}((?=[A-Za-z.-]{0,99}[\d_~+/=])[\w.~+/=-]{1,500})")
OPTION = re.compile(r"--[\w-]+(=|$)")  # with a blank in its name it is a value, as argparse has it
USER = re.compile(r"(?<=://)[^/@\s]+@")  # user:password@ of a URL
HASH = 16  # characters
LEAST_SECRET = 6  # characters; shorter ones would black out half a log


def pairs(arguments: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each option's name, with underscores, and its values; "" stands for what precedes the
    first."""
    name, values = "", list[str]()
    for text in arguments:
        if not OPTION.match(text):
            values.append(text)
            continue
        if name or values:
            yield name, values
        name, given, value = text[2:].partition("=")
        name, values = name.replace("-", "_"), [value] if given else []
    if name or values:
        yield name, values


def adapters_in(arguments: Sequence[str]) -> list[str]:
    """The folders or hub ids of --adapters, each perhaps written as name=folder."""
    return [value.split("=", 1)[-1] for value in dict(pairs(arguments)).get("adapters", [])]


def recorded(arguments: Sequence[str], leave_out: Sequence[str] = ()) -> list[str]:
    """The arguments in a form that anybody may read, in alphabetical order, without secrets and the
    options to leave out. If an option occurs twice, the last one counts."""
    kept = []
    for name, values in sorted(dict(pairs(arguments)).items()):
        if name not in leave_out and not is_secret(name):
            kept += [f"--{name}"] if name else []
            kept += [recorded_value(name, value) for value in values]
    return kept


def recorded_value(name: str, value: str) -> str:
    """An option's value if it is harmless, else its hash."""
    if (not name or is_clear(name)) and not _secrets_inside(value):
        return without_user(value)
    return f"sha256:{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()[:HASH]}"


def is_clear(name: str) -> bool:
    """Whether an option's values may be recorded."""
    backend = name.startswith(CLEAR_BACKENDS) and not SECRET.search(name)
    return name in CLEAR or backend


def is_secret(name: str) -> bool:
    """Whether an option's name, or the beginning of it that argparse takes for the whole, says that
    its value is a secret."""
    lower = name.lower()
    cut = len(lower) > 1 and any(option.startswith(lower) for option in SECRET_OPTIONS)
    return (cut or bool(SECRET.search(lower))) and name not in CLEAR


def _secrets_inside(value: str) -> list[str]:
    named = [text for name, text in INSIDE.findall(value) if is_secret(name.replace("-", "_"))]
    texts = [*named, *SCHEME.findall(value)]
    return [text for text in texts if len(text) >= LEAST_SECRET and not text.isdigit()]


def without_user(text: str) -> str:
    """The text without users and passwords in URLs."""
    return USER.sub("***@", text)


def secrets(arguments: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """What must not appear in a log: the values of secret options and variables, and passwords."""
    texts = [value for name, values in pairs(arguments) if is_secret(name) for value in values]
    texts += [value for name, value in environ.items() if _holds_secret(name, value)]
    everything = [value for _, values in pairs(arguments) for value in values]
    texts += [text for value in everything for text in _secrets_inside(value)]
    everything += environ.values()
    users = [user[:-1] for value in everything for user in USER.findall(value)]
    texts += users + [part for user in users for part in user.split(":")[1:]]
    return sorted(
        {text for text in texts if len(text) >= LEAST_SECRET}, key=lambda text: (-len(text), text)
    )


def _holds_secret(variable: str, value: str) -> bool:
    """Whether a variable's name says so. PWD is the working folder, and MAX_TOKENS is a number."""
    name = variable.lower()
    is_number_of_tokens = name.endswith("tokens") and value.isdigit()
    return bool(SECRET.search(name)) and variable != "PWD" and not is_number_of_tokens


def places(arguments: Sequence[str], leave_out: Sequence[str] = ()) -> dict[str, Path]:
    """The files and folders that option values name, by option and value."""
    named = {}
    for name, values in pairs(arguments):
        if name in leave_out:
            continue
        for value in values:
            path = value.split("=", 1)[-1]  # `--adapters name=folder`
            try:
                exists = bool(path) and Path(path).exists()
            except (OSError, ValueError):  # a prompt is not a path: too long, or with a NUL
                exists = False
            if exists:
                named[f"--{name} {without_user(value)}"] = Path(path)
    return named
