"""Files of another form, broken ones and ones with other values are told, whatever the suite."""

from pathlib import Path

import pytest
from PIL import Image

from mmdet_eval.suites.forms import FORMS, read_dataset
from mmdet_eval.suites.spec import DatasetSpec
from swift_plugin_visionr1.errors import InputError

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


@pytest.mark.parametrize("form", [form for form in FORMS if form not in ("counts", "fsc147")])
@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_used_is_an_error_in_words(tmp_path: Path, form: str, text: str) -> None:
    (tmp_path / "images").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "images" / "a.png")
    for ending in (".json", ".jsonl"):
        path = tmp_path / f"file{ending}"
        for name in (path.name, "instances.json", "more.pkl"):
            (tmp_path / name).write_text(text)
        more = tmp_path / "more.pkl"
        needs = (path, more, more)
        spec = DatasetSpec("name", path, tmp_path / "images", form=form, split="intra", needs=needs)
        with pytest.raises(InputError):
            read_dataset(spec)
