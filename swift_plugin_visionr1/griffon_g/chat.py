"""The prompts that Griffon-G was trained with, as chat templates of its two language models."""

from typing import NamedTuple

_CONTENT = (
    "{% if message.content is string %}{{ message.content }}{% else %}"
    "{% for part in message.content %}"
    "{% if part.type == 'image' %}{{ '<image>\\n' }}{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% for message in messages %}"
    "<start_of_turn>{{ 'model' if message.role == 'assistant' else message.role }}{{ '\\n' }}"
    + _CONTENT
    + "<end_of_turn>{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model{{ '\\n' }}{% endif %}"
)
CHATML = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\n"
    "You are a helpful assistant.<|im_end|>{{ '\\n' }}{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message.role }}{{ '\\n' }}"
    + _CONTENT
    + "<|im_end|>{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant{{ '\\n' }}{% endif %}"
)


class Chat(NamedTuple):
    """How a language model is talked to: its chat template, and the word that ends an answer."""

    template: str
    end: str


# By transformers' model type of the language models that Griffon-G was trained with.
CHATS = {"gemma2": Chat(GEMMA, "<end_of_turn>"), "qwen2": Chat(CHATML, "<|im_end|>")}
