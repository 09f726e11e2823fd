"""Flickr30k Entities: phrases of five sentences, and the boxes of the chain that each belongs to.

Its reader (flickr30k_entities_utils.py) subtracts 1 from all four corners, and so do we. It takes
only the first name of an object; here a box is of all its chains.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from ...geometry.boxes import as_boxes
from ..image_search import folders_around
from ..sample import Phrase, Request, Sample, Source
from ..tally import Tally
from .coco import image_size
from .files_of import BAD_BOX
from .shapes import four_numbers
from .voc import CORNERS, roots

PHRASE = re.compile(r"\[/EN#(\d+)(?:/[^\s\]]*)?\s+([^\]]*)\]")
NOT_VISUAL = "0"
NO_BOX = "phrases of scenes and of things without a box"
AMBIGUOUS = "phrases that mean different boxes of one image"
NO_SENTENCES = "images without a file of sentences"
SPLITS = ("train", "val", "test")


def recognises(path: Path) -> bool:
    """See `SourceFormat.recognises`."""
    return (path / "Sentences").is_dir() and (path / "Annotations").is_dir()


def open_flickr30k(request: Request, tally: Tally) -> Source:
    """See `SourceFormat.open`."""
    folder = request.path
    sentences = sorted((folder / "Sentences").glob("*.txt"))
    annotations = sorted((folder / "Annotations").glob("*.xml"))
    lists = [folder / f"{name}.txt" for name in SPLITS]
    places = ("flickr30k-images", "flickr30k_images", "flickr30k-images/flickr30k-images")
    return Source(
        name=folder.name,
        format="flickr30k",
        files=(*sentences, *annotations, *(file for file in lists if file.is_file())),
        images=request.folders(*folders_around(folder / "Sentences", *places)),
        categories=(),
        exhaustive=False,
        tasks=("grounding",),
        count=len(annotations),
        read=lambda tally: _samples(folder, annotations, _splits(lists), tally),
    )


def _splits(lists: list[Path]) -> dict[str, str]:
    return {
        line.strip(): file.stem
        for file in lists
        if file.is_file()
        for line in file.read_text("utf-8", "replace").splitlines()
        if line.strip()
    }


def _samples(
    folder: Path, annotations: list[Path], splits: dict[str, str], tally: Tally
) -> Iterator[Sample]:
    for file, root in roots(annotations, tally):
        sentences = folder / "Sentences" / f"{file.stem}.txt"
        if not sentences.is_file():
            tally.drop(NO_SENTENCES, file.stem)
            continue
        boxes, chains = _chains(root, file, tally)
        text = sentences.read_text("utf-8", "replace")
        size = {side: _number(root.findtext(f"size/{side}")) for side in ("width", "height")}
        yield Sample(
            id=file.stem,
            image=f"{file.stem}.jpg",
            size=image_size(size),
            boxes_xyxy=as_boxes(boxes),
            phrases=tuple(_phrases(text, chains, file.stem, tally)),
            split=splits.get(file.stem, ""),
        )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.strip().isdigit() else None


def _chains(
    root: Element, file: Path, tally: Tally
) -> tuple[list[list[float]], dict[str, list[int]]]:
    boxes: list[list[float]] = []
    chains: dict[str, list[int]] = {}
    broken: set[str] = set()
    for each in root.findall("object"):
        corners = each.find("bndbox")
        if corners is None:
            continue
        box = four_numbers([corners.findtext(name) for name in CORNERS])
        if box is None:
            tally.drop(BAD_BOX, file.name)
            broken |= set(_names(each))
            continue
        for name in _names(each):
            chains.setdefault(name, []).append(len(boxes))
        boxes.append([number - 1 for number in box])
    # A chain that lacks one of its boxes is not used.
    return boxes, {name: some for name, some in chains.items() if name not in broken}


def _names(each: Element) -> list[str]:
    return [(name.text or "").strip() for name in each.findall("name")]


def _phrases(text: str, chains: dict[str, list[int]], stem: str, tally: Tally) -> Iterator[Phrase]:
    """Each phrase once; none whose words mean other boxes elsewhere in the sentences."""
    meant: dict[str, set[tuple[int, ...]]] = {}
    words: dict[str, str] = {}
    for chain, phrase in PHRASE.findall(text):
        phrase = phrase.strip()
        if chain == NOT_VISUAL or not phrase:
            continue
        words.setdefault(phrase.casefold(), phrase)
        meant.setdefault(phrase.casefold(), set()).add(tuple(chains.get(chain, ())))
    for key, sets in meant.items():
        boxes = next(iter(sets))
        if len(sets) > 1:
            tally.drop(AMBIGUOUS, f"{words[key]!r} in {stem}")
        elif not boxes:
            tally.drop(NO_BOX, f"{words[key]!r} in {stem}")
        else:
            yield Phrase(words[key], boxes, "grounding")
