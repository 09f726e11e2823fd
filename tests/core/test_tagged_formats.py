"""Tagged labels and coordinates of other families: a table of what models write."""

import pytest

from .tagged import GLM, KOSMOS, QWEN2, REX, A, B, Case, check

DEEP = "<|ref|>cat<|/ref|><|det|>[[1, 2, 30, 40]]<|/det|>"


AND = "</delimiter_of_multi_objects/>"


HAT = ("a hat", [16.5 / 32, 1.5 / 32, 26.5 / 32, 7.5 / 32])


BIRDS = (
    "<ref>birds</ref>[\n  <box>(0.401,0.526),(0.430,0.557)</box>,\n  "
    "<box>(0.489,0.494),(0.516,0.526)</box>\n]"
)


FLOCK = [("birds", [0.401, 0.526, 0.430, 0.557]), ("birds", [0.489, 0.494, 0.516, 0.526])]


CASES: dict[str, Case] = {
    "Qwen2-VL": ("qwen2_vl", QWEN2, [("cat", A)], ()),
    "one a line": (
        "qwen2_vl",
        QWEN2 + "\n" + QWEN2.replace("cat", "dog"),
        [("cat", A), ("dog", A)],
        (),
    ),
    "several a line": ("qwen2_vl", QWEN2 + QWEN2, [("cat", A), ("cat", A)], ()),
    "InternVL": ("internvl", "<ref>cat</ref><box>[[1, 2, 30, 40]]</box>", [("cat", A)], ()),
    "commas between the pieces": (
        "internvl",
        "<ref>cat</ref><box>[[1, 2, 30, 40]]</box>, <ref>dog</ref><box>[[5, 6, 70, 80]]</box>",
        [("cat", A), ("dog", B)],
        (),
    ),
    "commas between the boxes of a label": (
        "qwen_vl",
        "<ref>cat</ref><box>(1,2),(30,40)</box>, <box>(5,6),(70,80)</box>",
        [("cat", A), ("cat", B)],
        (),
    ),
    "DeepSeek-VL2 with commas": ("deepseek_vl2", f"{DEEP},\n{DEEP}", [("cat", A), ("cat", A)], ()),
    "Qwen2-VL with commas": ("qwen2_vl", f"{QWEN2}, {QWEN2}", [("cat", A), ("cat", A)], ()),
    "MiniCPM-V with a comma between": (
        "minicpm_v",
        "<ref>cat</ref><box>1 2 30 40</box>, <ref>dog</ref><box>5 6 70 80</box>",
        [("cat", A), ("dog", B)],
        (),
    ),
    "a word beside the comma": (
        "internvl",
        "<ref>cat</ref><box>[[1, 2, 30, 40]]</box>, and <ref>dog</ref><box>[[5, 6, 70, 80]]</box>",
        [("cat", A), ("dog", B)],
        ("text_around",),
    ),
    "a list of two": (
        "internvl",
        "<ref>cat</ref><box>[[1,2,30,40],[5,6,70,80]]</box>",
        [("cat", A), ("cat", B)],
        (),
    ),
    "a list without its brackets": (
        "internvl",
        "<ref>cat</ref><box>[1, 2, 30, 40]</box>",
        [("cat", A)],
        ("bad_layout",),
    ),
    "a list cut off": (
        "internvl",
        "<ref>cat</ref><box>[[1, 2, 30, 40], [5, 6, 7",
        [("cat", A)],
        ("broken_tags",),
    ),
    "lists of points": ("internvl", "<ref>cat</ref><box>[[1, 2], [30, 40]]</box>", [], ("point",)),
    "one bad, one good": (
        "internvl",
        "<ref>cat</ref><box>[[1, 2, 30], [5, 6, 70, 80]]</box>",
        [("cat", B)],
        ("bad_box",),
    ),
    "InternVL, tags left out": (
        "internvl",
        "car[[1, 2, 30, 40], [5, 6, 70, 80]]\nred bus[[1, 2, 30, 40]]\nvan[[0, 1000, 999, 998]]",
        [("car", A), ("car", B), ("red bus", A)],
        ("no_tags", "corner_order"),
    ),
    "InternVL, an echo of the prompt first": (
        "internvl",
        "User: Find <ref>car</ref>.\nAssistant: car[[1, 2, 30, 40]]",
        [("car", A)],
        ("text_around", "no_box", "no_tags"),
    ),
    "InternVL, the box alone": ("internvl", "[[1, 2, 30, 40]]", [("", A)], ("no_tags", "no_label")),
    "a box in prose": ("internvl", "Type it at the box [[1,2,30,40]]", [], ("no_box",)),
    "the prompt echoed": ("internvl", "The coordinates are [x1, y1, x2, y2].", [], ("no_box",)),
    "the boxes of a relation": (
        "internvl",
        "A <ref>bus</ref><box>[[1, 2, 30, 40]]</box> is <pred>on</pred><box>[[1, 2, 30, 40]]</box>"
        "<box>[[5, 6, 70, 80]]</box> a <ref>road</ref><box>[[5, 6, 70, 80]]</box>",
        [("bus", A), ("road", B)],
        ("text_around",),
    ),
    "full-width brackets": (
        "qwen_vl",
        "<ref>猫，狗</ref><box>（1，2），（30，40）</box>",
        [("猫，狗", A)],
        ("bad_layout",),
    ),
    "full-width commas": (
        "internvl",
        "<ref>猫</ref><box>[[1，2，30，40]]</box>",
        [("猫", A)],
        ("bad_layout",),
    ),
    "cut in the closing tag": (
        "qwen2_vl",
        QWEN2.removesuffix("_end|>"),
        [("cat", A)],
        ("broken_tags",),
    ),
    "a label begins where a list is": (
        "deepseek_vl2",
        "<|ref|>van<|/ref|><|det|>[[220, " + DEEP,
        [("cat", A)],
        ("broken_tags",),
    ),
    "an empty list in tags": ("internvl", "<ref>cat</ref><box>[]</box>", [], ("empty_answer",)),
    "DeepSeek-VL2": (
        "deepseek_vl2",
        DEEP + DEEP.replace("cat", "dog"),
        [("cat", A), ("dog", A)],
        (),
    ),
    "a run of digits": (
        "deepseek_vl2",
        f"{DEEP}<|ref|>dog<|/ref|><|det|>[[0, 5, {'9' * 5000}",
        [("cat", A)],
        ("broken_tags",),
    ),
    "lists in a list": (
        "deepseek_vl2",
        "<|ref|>cat<|/ref|><|det|>[245,[1,2,30,40]]<|/det|>",
        [("cat", A)],
        ("bad_layout",),
    ),
    "MiniCPM-V": ("minicpm_v", "<ref>cat</ref><box>1 2 30 40</box>", [("cat", A)], ()),
    "MiniCPM-V, the box alone": ("minicpm_v", "<box>1 2 30 40</box>", [("", A)], ()),
    "MiniCPM-V with commas": ("minicpm_v", "<box>1, 2, 30, 40</box>", [("", A)], ("bad_layout",)),
    "a last number that may be cut": (
        "minicpm_v",
        "<ref>cat</ref><box>1 2 30 4",
        [],
        ("broken_tags",),
    ),
    "a box closed by the next label": (
        "minicpm_v",
        "<box>1 2 30 40<ref>dog</ref><box>5 6 70 80</box>",
        [("", A), ("dog", B)],
        ("broken_tags",),
    ),
    "bare numbers": ("minicpm_v", "1 2 30 40", [], ("no_box",)),
    "Ovis in a sentence": ("ovis", f"A scene with {BIRDS} in flight.", FLOCK, ("text_around",)),
    "Ovis alone": ("ovis", BIRDS, FLOCK, ()),
    "Ovis, the boxes alone": (
        "ovis",
        BIRDS.removeprefix("<ref>birds</ref>"),
        [("", box) for _, box in FLOCK],
        (),
    ),
    "Ovis with two decimals": (
        "ovis",
        "<ref>cat</ref><box>(0.1,0.2),(0.30,0.40)</box>",
        [("cat", [0.1, 0.2, 0.3, 0.4])],
        ("wrong_decimals",),
    ),
    "an Ovis point": (
        "ovis",
        "<ref>cat</ref><point>(0.401,0.526)</point>",
        [],
        ("text_around", "no_box", "point"),
    ),
    "Rex-Omni": (
        "rex_omni",
        REX + "<1><2><30><40>, <5><6><70><80><|box_end|>",
        [("cat", A), ("cat", B)],
        (),
    ),
    "one present, one not": (
        "rex_omni",
        REX + "<1><2><30><40><|box_end|>, " + REX + "None<|box_end|>",
        [("cat", A)],
        (),
    ),
    "none present": ("rex_omni", REX + "None<|box_end|>", [], ()),
    "Rex-Omni points": ("rex_omni", REX + "<1><2>,<30><40><|box_end|>", [], ("point",)),
    "Rex-Omni text": ("rex_omni", REX + "<1><2><30><2><30><40><1><40><|box_end|>", [], ("quad",)),
    "Rex-Omni keypoints": (
        "rex_omni",
        '```json\n{"cat1": {"bbox": " <1> <2> <30> <40> ", "keypoints": {"nose": " <5> <6> '
        '"}}}\n```',
        [("cat", A)],
        ("keypoints",),
    ),
    "a polygon that is cut after two corners": (
        "rex_omni",
        REX + "<1><2><30><40>,<5><6><70><80>",
        [("cat", A)],
        ("broken_tags",),
    ),
    "Kosmos-2": ("kosmos2", KOSMOS, [HAT], ()),
    "Kosmos-2 in a caption": (
        "kosmos2",
        f"<grounding> He is wearing{KOSMOS}, and smiles.",
        [HAT],
        (),
    ),
    "two boxes of a phrase": (
        "kosmos2",
        KOSMOS.replace("</object>", f"{AND}<patch_index_0000><patch_index_1023></object>"),
        [HAT, ("a hat", [0.5 / 32, 0.5 / 32, 31.5 / 32, 31.5 / 32])],
        (),
    ),
    "tokens with spaces between": (
        "kosmos2",
        "<phrase> a hat </phrase> <object> <patch_index_0048> <patch_index_0250> </object>",
        [HAT],
        (),
    ),
    "the phrase is in the prompt": (
        "kosmos2",
        KOSMOS.partition("</phrase>")[2],
        [("", HAT[1])],
        (),
    ),
    "one index": ("kosmos2", "<object><patch_index_0048></object>", [], ("bad_box",)),
    "an index beyond the patches": (
        "kosmos2",
        "<object><patch_index_0048><patch_index_1024></object>",
        [],
        ("bad_box",),
    ),
    "patches the wrong way round": (
        "kosmos2",
        "<object><patch_index_0250><patch_index_0048></object>",
        [],
        ("corner_order",),
    ),
    "an index that is cut": (
        "kosmos2",
        KOSMOS + "<object><patch_index_0048><patch_in",
        [HAT],
        ("broken_tags",),
    ),
    "a caption without objects": ("kosmos2", "<grounding> An empty street.", [], ("no_box",)),
    "GLM": ("glm4v", GLM % "[[1,2,30,40],[5,6,70,80]]", [("", A), ("", B)], ()),
    "GLM in a sentence": ("glm4v", f"The cat is at {GLM % '[1, 2, 30, 40]'}.", [("", A)], ()),
    "GLM with parentheses": ("glm4v", GLM % "(1,2,30,40)", [("", A)], ()),
    "GLM with angles": ("glm4v", GLM % "<1,2,30,40>", [("", A)], ()),
    "GLM without brackets": ("glm4v", GLM % "1,2,30,40", [("", A)], ()),
    "GLM, the template echoed": ("glm4v", GLM % "[[x1,y1,x2,y2]]", [], ("bad_layout", "bad_box")),
    "GLM in JSON": (
        "glm4v",
        GLM % '[{"label": "cat", "bbox_2d": [1, 2, 30, 40]}]',
        [("cat", A)],
        (),
    ),
    "GLM in a fence": (
        "glm4v",
        GLM % '\n```json\n[{"bbox_2d": [1, 2, 30, 40], "label": "cat"}]\n```\n',
        [("cat", A)],
        (),
    ),
    "GLM in JSON without tokens": (
        "glm4v",
        '[{"label": "cat", "bbox_2d": [1, 2, 30, 40]}]',
        [("cat", A)],
        ("no_tags",),
    ),
    "GLM lists without tokens": ("glm4v", "[[1,2,30,40]]", [("", A)], ("no_tags",)),
    "a word between GLM's tokens": ("glm4v", GLM % "Beijing", [], ("bad_box",)),
    "a GLM list cut off": (
        "glm4v",
        "<|begin_of_box|>[[1,2,30,40],[5,6,7",
        [("", A)],
        ("broken_tags",),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_table(case: Case) -> None:
    check(case)
