"""Files of another form, broken ones and ones with other values are told, whatever the suite."""

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mmdet_eval.suites.files import read_suite
from mmdet_eval.suites.forms import FORMS, NEEDS, read_dataset
from mmdet_eval.suites.spec import DatasetSpec
from swift_plugin_visionr1.errors import InputError
from tests.eval.counting_roots import ROOTS as COUNTING
from tests.eval.suite_roots import ROOTS

BROKEN = {
    "empty": "",
    "null": "null",
    "a number": "3",
    "an empty list": "[]",
    "numbers": "[1, 2]",
    "an empty object": "{}",
    "cut off": '{"images": [',
    "lines of something else": '{"a": 1}\n{"b": 2}\n',
    "boxes that are text": '{"image": "a.png", "expression": "x", "boxes": "no"}\n',
    "boxes of two numbers": '{"image_name": "a.png", "referring": "x", "domain": "d", '
    '"answer_boxes": [[1, 2]], "candidate_boxes": []}\n',
    "boxes of letters": '{"image_name": "a.png", "referring": "x", "domain": "d", '
    '"answer_boxes": [["a", "b", "c", "d"]], "candidate_boxes": [1]}\n',
    "numbers for texts": '{"image_name": 3, "referring": 4, "domain": "rejection", '
    '"answer_boxes": 5, "candidate_boxes": 6}\n',
    "points by label": '{"image_path": "a.png", "gt": {"x": [[1, 2]]}}\n',
    "no boxes by label": '{"image_path": "a.png", "gt": {"x": 5}, "categories": 7}\n',
    "text for a size": '{"file_name": "a", "caption": "b", "bbox": "abcd", "width": "w", '
    '"height": 2, "ori_category_id": "3"}\n',
    "annotations that are numbers": '{"images": [{"id": 1, "neg_category_ids": [1]}], '
    '"annotations": [1], "categories": [{"id": 1}]}',
    "lists for ids": '{"images": [{"id": 1}], "annotations": [{"category_id": []}], '
    '"categories": [{"id": [1]}]}',
    "refs without boxes": '[{"image_id": 1, "ann_id": [1], "sentences": "x"}]',
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_used_is_an_error_in_words(tmp_path: Path, form: str, text: str) -> None:
    (tmp_path / "images").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "images" / "a.png")
    for ending in (".json", ".jsonl"):
        path = tmp_path / f"file{ending}"
        for name in (path.name, "instances.json", "more.pkl"):
            (tmp_path / name).write_text(text)
        more = tmp_path / "more.pkl"
        needs = (path, path, more)
        spec = DatasetSpec("name", path, tmp_path / "images", form=form, split="intra", needs=needs)
        with pytest.raises(InputError):
            read_dataset(spec)


@pytest.mark.parametrize("form", NEEDS)
def test_a_form_that_reads_several_files_asks_for_them(tmp_path: Path, form: str) -> None:
    path = tmp_path / "file.json"
    path.write_text("{}")
    with pytest.raises(InputError, match="needs"):
        read_dataset(DatasetSpec("name", path, tmp_path, form=form, split="intra"))


OTHERS = (None, {}, [[1]], -1, 10**400, "\ud800")
SUITES = ("coco_val2017", "referring", "grefcoco", "humanref", "d3", "dense200", "lvis_val")


def changed(value: Any) -> Iterator[Any]:
    """The value with each part of it, of lists the first, left out or of another kind."""
    yield from OTHERS
    if not isinstance(value, dict | list):
        return
    for key in list(value) if isinstance(value, dict) else range(min(1, len(value))):
        part = value[key]
        for other in changed(part):
            value[key] = other
            yield value
        del value[key]
        yield value
        if isinstance(value, list):
            value.insert(key, part)
        else:
            value[key] = part


def spoilt(path: Path) -> Iterator[bytes]:
    """The content of a file with a part of another kind, or cut off, or in another encoding."""
    raw = path.read_bytes()
    yield from (b"", raw[: len(raw) // 2], b"\xff\xfe" + raw, raw.replace(b"e", b"\xe9"))
    if path.suffix == ".json":
        yield from (json.dumps(value).encode() for value in changed(json.loads(raw)))
    elif path.suffix == ".pkl":
        yield from (pickle.dumps(value) for value in changed(pickle.loads(raw)))
    elif path.suffix == ".jsonl":
        first, _, rest = raw.partition(b"\n")
        yield from (json.dumps(v).encode() + b"\n" + rest for v in changed(json.loads(first)))


@pytest.mark.parametrize("suite", [*SUITES, "countbench", "fsc147"])
def test_any_part_of_another_kind_is_read_or_told(tmp_path: Path, suite: str) -> None:
    (ROOTS | COUNTING)[suite](tmp_path)
    spec = read_suite(suite, tmp_path).datasets[0]
    told = 0
    for path in {spec.ann, *spec.needs, *spec.ann.parent.glob("instances.json")}:
        raw = path.read_bytes()
        for content in spoilt(path):
            path.write_bytes(content)
            try:
                annotations = read_dataset(spec)
                annotations.askable()
            except InputError:
                told += 1
        path.write_bytes(raw)
    assert told
    assert read_dataset(spec).images
