"""Asks the model about each of its boxes whether it is what its label says: `--score verify`.

A folder of the run, one for each view, is laid out like the run: `parts`, `run.json`, `infer.log`.
A question is known by the content of its image, its box and its label, so answers stay valid
whatever else changes, and an interrupted run goes on.
"""

import hashlib
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from swift_plugin_visionr1.data.images import open_image
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.progress import show_progress
from swift_plugin_visionr1.writing import locked

from ..suites.protocols import Protocol
from .asked_model import AskedModel
from .box_views import QUALITY, View, picture
from .contents import Contents
from .fingerprint import answers_depend_on
from .session import ask_in
from .swift_infer import Key, Row, key_of, left_to_ask, read_answers

FOLDERS: dict[View, str] = {"crop": "verify", "drawn": "verify-drawn"}  # of a run's folder
TOP = 20  # log-probabilities recorded for each token: vLLM's limit
LENGTH = 4  # tokens: some models begin with a line break
QUESTIONS: dict[View, str] = {
    "crop": "Is this {category}? Answer yes or no.",
    "drawn": "Is the object in the red box {category}? Answer yes or no.",
}
ARTICLES = ("a", "an", "the")


@dataclass(frozen=True)
class Claim:
    """A box and what the model called it.

    Attributes:
        image: the image file.
        box_xyxy: in pixels of the image.
        label: what it is said to be, in words.
    """

    image: Path
    box_xyxy: tuple[float, float, float, float]
    label: str


def verify(
    model: AskedModel,
    claims: Sequence[Claim],
    run: Path,
    view: View = "crop",
    allow_missing: bool = False,
) -> dict[Claim, float]:
    """P(yes) of each claim, asking the questions that have no answer yet with one `swift infer`.

    Args:
        model: as it was asked for boxes.
        run: the run's folder.
        view: how a box is shown.
        allow_missing: leave out claims without an answer.

    Returns:
        p_yes / (p_yes + p_no), of the first token of the answer that is one of them. Claims about
        which the model says neither are missing.

    Raises:
        InputError: the folder holds answers of another model.
        InferenceFailed: `swift infer` did not answer everything; its answers are kept.
        ImageError: an image cannot be read.
    """
    folder, contents = run / FOLDERS[view], Contents.of_run(run)
    rows = _rows(claims, folder, view, contents)
    asked = _for_questions(model)
    fingerprint = answers_depend_on(asked, _protocol(view), [], contents)
    with locked(folder) as lock:
        pending = {claim: rows[claim] for claim in _unanswered(rows, folder)}
        _draw(pending, view)
        answers, *_ = ask_in(
            folder,
            lock,
            asked,
            fingerprint,
            list(rows.values()),
            contents,
            allow_missing,
        )
        for row in pending.values():
            Path(row["images"][0]).unlink(missing_ok=True)
    return _probabilities(rows, answers)


def verified(claims: Sequence[Claim], run: Path, view: View = "crop") -> dict[Claim, float]:
    """P(yes) of each claim that was verified before; see `verify`.

    Raises:
        InputError: nothing was verified in this folder.
    """
    folder = run / FOLDERS[view]
    if not (folder / "parts").is_dir():
        raise InputError(
            f"expected {folder} with the model's answers about its boxes, got nothing: "
            f"`mmdet-eval run --score {FOLDERS[view]}` asks for them"
        )
    rows = _rows(claims, folder, view, Contents.of_run(run))
    return _probabilities(rows, read_answers(folder / "parts"))


def _for_questions(model: AskedModel) -> AskedModel:
    """The model asked for a word and its probabilities; what was to begin an answer with boxes
    does not begin this one."""
    options = ("--logprobs", "true", "--top_logprobs", str(TOP), "--max_new_tokens", str(LENGTH))
    return replace(
        model,
        options=(*model.options, *options),
        logprobs=True,
        chat=replace(model.chat, response_prefix=None),
    )


def _protocol(view: View) -> Protocol:
    return Protocol(
        name=f"verify_{view}",
        prompt=QUESTIONS[view],
        queries="each",
        labels="query",
        captions=False,
        label_aware=False,
        description="yes or no about each box",
    )


def _rows(
    claims: Sequence[Claim], folder: Path, view: View, contents: Contents
) -> dict[Claim, Row]:
    hashes = contents.hashes(claim.image for claim in claims)
    return {
        claim: {
            "messages": [{"role": "user", "content": f"<image>{question(claim.label, view)}"}],
            "images": [str(folder.resolve() / "images" / _name(claim, view, hashes[claim.image]))],
        }
        for claim in claims
    }


def question(label: str, view: View) -> str:
    """What is asked about a box.

    >>> question("owl", "crop"), question("the left man", "crop")
    ('Is this an owl? Answer yes or no.', 'Is this the left man? Answer yes or no.')
    """
    first = label.partition(" ")[0].lower()
    article = "an " if first[:1] in tuple("aeiou") else "a "
    named = label if first in ARTICLES else article + label
    return QUESTIONS[view].replace("{category}", named)


def _name(claim: Claim, view: View, content: str) -> str:
    """The picture's file: what it shows, by content."""
    box = [round(value, 1) for value in claim.box_xyxy]
    return hashlib.sha256(json.dumps([content, box, view]).encode()).hexdigest()[:32] + ".jpg"


def _unanswered(rows: Mapping[Claim, Row], folder: Path) -> list[Claim]:
    parts = folder / "parts"
    left = left_to_ask(rows.values(), read_answers(parts), parts)
    keys = {key_of(row) for row in left}
    return [claim for claim, row in rows.items() if key_of(row) in keys]


def _draw(pending: Mapping[Claim, Row], view: View) -> None:
    """Write the pictures, each image opened once."""
    by_image: dict[Path, list[Claim]] = {}
    for claim in pending:
        by_image.setdefault(claim.image, []).append(claim)
    for path in show_progress(by_image, len(by_image), sys.stderr, "drawn", "images"):
        image = open_image(str(path))
        for claim in by_image[path]:
            file = Path(pending[claim]["images"][0])
            file.parent.mkdir(parents=True, exist_ok=True)
            shown = picture(image, claim.box_xyxy, view)
            shown.save(file, quality=QUALITY, subsampling=0)


def _probabilities(rows: Mapping[Claim, Row], answers: Mapping[Key, bytes]) -> dict[Claim, float]:
    by_name = {(Path(path).name, text): line for (path, text), line in answers.items()}
    known = {}
    for claim, row in rows.items():
        path, text = key_of(row)
        line = by_name.get((Path(path).name, text))
        value = None if line is None else p_yes(json.loads(line).get("logprobs"))
        if value is not None:
            known[claim] = value
    return known


def p_yes(logprobs: Any) -> float | None:
    """The probability of yes against no, from the log-probabilities of an answer's tokens, each
    with its alternatives. None if no token says either.

    Tokens count that begin "yes" or "no", whatever their case and the space before them. The first
    place decides where these tokens together are likelier than all others, else the first place
    where there are any.

    >>> top = [{"token": " Yes", "logprob": -0.5108}, {"token": "no", "logprob": -1.204}]
    >>> round(p_yes({"content": [{"top_logprobs": top}]}), 2)
    0.67
    """
    sums = [
        _sums(place.get("top_logprobs") or [place])
        for place in (logprobs or {}).get("content") or ()
    ]
    said = [(yes, no) for yes, no in sums if yes + no > 0]
    if not said:
        return None
    yes, no = next((pair for pair in said if sum(pair) > 0.5), said[0])
    return yes / (yes + no)


def _sums(tokens: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """The probabilities of yes and of no."""
    sums = {"yes": 0.0, "no": 0.0}
    for token in tokens:
        text = str(token["token"]).strip().lower()
        for word in sums:
            if text and word.startswith(text):
                sums[word] += math.exp(float(token["logprob"]))
    return sums["yes"], sums["no"]
