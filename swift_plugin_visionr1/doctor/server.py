"""An OpenAI-style server that writes the completions, such as `swift deploy` and `vllm serve`.

ms-swift's own client refuses what ms-swift's own server answers about images, and expects images
where other servers do not look for them.
"""

import base64
import json
import mimetypes
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from ..data.images import local_image
from ..data.published.base import IMAGE_TAG
from ..errors import InputError
from ..text import short

SECONDS = 600  # for one answer


@dataclass(frozen=True)
class Server:
    """A server, by its address with or without /v1."""

    address: str

    def ask(self, messages: Sequence[Any], images: Sequence[Any], options: Any) -> dict[str, Any]:
        """The response to one question about images.

        Args:
            messages: of ms-swift, with `<image>` where images belong.
            images: paths, URLs or what else a row may have.
            options: of sampling.

        Raises:
            InputError: the server refuses the question.
            OSError: it cannot be reached.
        """
        # Tokens: `swift deploy` calls them details, vLLM by their name.
        told = {"logprobs": True, "return_details": True, "return_token_ids": True}
        asked = {"model": self._model, "messages": in_openai_form(messages, images)}
        return self._call("chat/completions", {**asked, **options, **told})

    @cached_property
    def _model(self) -> str:
        return str(self._call("models")["data"][0]["id"])

    def _call(self, path: str, content: Mapping[str, Any] | None = None) -> dict[str, Any]:
        root = self.address.rstrip("/").removesuffix("/v1")
        key = os.environ.get("OPENAI_API_KEY", "EMPTY")
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        data = None if content is None else json.dumps(content).encode()
        try:
            with urlopen(Request(f"{root}/v1/{path}", data, headers), timeout=SECONDS) as response:
                answer: dict[str, Any] = json.load(response)
        except HTTPError as error:
            said = short(error.read().decode(errors="replace"))
            raise InputError(f"expected {path} from {root}, got {error.code}: {said}") from None
        except ValueError:
            raise InputError(f"expected JSON from {root}/v1/{path}, got something else") from None
        return answer


def in_openai_form(messages: Sequence[Any], images: Sequence[Any]) -> list[dict[str, Any]]:
    """Messages that hold the images themselves, where every server looks for them."""
    texts = [_text(message["content"]) for message in messages]
    missing = len(images) - sum(text.count(IMAGE_TAG) for text in texts)
    urls = map(_url, images)
    asked = []
    for message, text in zip(messages, texts, strict=True):
        content: Any = text
        if message["role"] == "user":
            content = _parts(IMAGE_TAG * missing + text, urls)
            missing = 0  # ms-swift puts them first
        asked.append({**message, "content": content})
    return asked


def _text(content: Any) -> str:
    """With a tag for each image, as ms-swift reads a list of parts."""
    if not isinstance(content, list):
        return str(content)
    return "".join(str(part.get("text", IMAGE_TAG)) for part in content)


def _parts(text: str, urls: Iterator[str]) -> list[dict[str, Any]]:
    first, *others = text.split(IMAGE_TAG)
    parts: list[dict[str, Any]] = [{"type": "text", "text": first}]
    for other in others:
        parts.append({"type": "image_url", "image_url": {"url": next(urls, None)}})
        parts.append({"type": "text", "text": other})
    return [part for part in parts if part.get("text") != ""]


def _url(image: Any) -> str:
    """An image file's bytes as a data URL; other URLs as they are."""
    source = local_image(image)
    if source is None:
        return str(image)
    content = source.getvalue() if isinstance(source, BytesIO) else Path(source).read_bytes()
    kind = mimetypes.guess_type(str(image))[0] if isinstance(image, str | Path) else None
    return f"data:{kind or 'image/png'};base64,{base64.b64encode(content).decode()}"
