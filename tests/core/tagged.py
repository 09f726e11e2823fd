"""Formats of tagged labels and coordinates, and pieces of their answers."""

from swift_plugin_visionr1.formats import get_format

A, B = [1, 2, 30, 40], [5, 6, 70, 80]

Case = tuple[
    str, str, list[tuple[str, list[float]]], tuple[str, ...]
]  # format, text, (label, box) pairs, issues

QWEN2 = "<|object_ref_start|>cat<|object_ref_end|><|box_start|>(1,2),(30,40)<|box_end|>"

REX = "<|object_ref_start|>cat<|object_ref_end|><|box_start|>"

KOSMOS = "<phrase> a hat</phrase><object><patch_index_0048><patch_index_0250></object>"

GLM = "<|begin_of_box|>%s<|end_of_box|>"


def check(case: Case) -> None:
    name, text, expected, issues = case
    parsed = get_format(name).parse(text)
    assert list(zip(parsed.labels, parsed.boxes.tolist(), strict=True)) == expected
    assert parsed.issues == issues
