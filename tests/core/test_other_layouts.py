"""Layouts that models write in place of the asked one: read where the meaning is plain, never clean."""

import time

import pytest

from swift_plugin_visionr1 import get_format

QWEN3 = get_format("qwen3_vl")
CAT = '[{"bbox_2d": [1, 2, 30, 40], "label": "cat"}]'
DRAFT = '[{"bbox_2d": [5, 6, 70, 80], "label": "draft"}]'
HYBRID = (
    '[\n\t{"bbox_2d": <|box_start|>(1,2),(30,40)<|box_end|>, "label": '
    '"<|object_ref_start|>cat<|object_ref_end|>"},\n\t{"bbox_2d": <|box_start|>(5,6),(70,80)'
    '<|box_end|>, "label": "<|object_ref_start|>dog<|object_ref_end|>"}\n]'
)


def without_tokens(text: str) -> str:
    for token in ("box_start", "box_end", "object_ref_start", "object_ref_end"):
        text = text.replace(f"<|{token}|>", "")
    return text


@pytest.mark.parametrize(
    ("text", "labels", "code"),
    [
        pytest.param(f"\\boxed{{{CAT}}}", ("cat",), "text_around", id="boxed"),
        pytest.param(f"Draft: {DRAFT}. $\\boxed{{{CAT}}}$", ("cat",), "text_around", id="draft"),
        pytest.param(f"\\boxed{{{CAT}", ("cat",), "text_around", id="boxed, cut off"),
        pytest.param(f"{{{CAT}}}", ("cat",), "not_json", id="a list in braces"),
        pytest.param(f"<output>{CAT}</output>", ("cat",), "text_around", id="made-up tags"),
        pytest.param('{"cat": [[1, 2, 30, 40]], "dog": []}', ("cat",), "label_as_key", id="as key"),
        pytest.param('{"cat": [1, 2, 30, 40]}', ("cat",), "label_as_key", id="one box"),
        pytest.param(
            '{"objects": {"a cat": [[1, 2, 30, 40]]}}', ("a cat",), "label_as_key", id="nested"
        ),
        pytest.param(
            '{"cat": [{"bbox_2d": [1, 2, 30, 40]}]}', ("cat",), "label_as_key", id="with objects"
        ),
        pytest.param(
            '{"cat": {"bbox_2d": [1, 2, 30, 40], "label": "tom"}}', ("tom",), "not_a_list", id="own"
        ),
        pytest.param('["cat", 1, 2, 30, 40]', ("cat",), "label_in_list", id="label first"),
        pytest.param('["cat", [1, 2, 30, 40]]', ("cat",), "label_in_list", id="label, box"),
        pytest.param('[["cat", [1, 2, 30, 40]]]', ("cat",), "label_in_list", id="list of lists"),
        pytest.param('[[1, 2, 30, 40], "cat"]', ("cat",), "label_in_list", id="label last"),
        pytest.param("bbox_2d: [1, 2, 30, 40]", ("",), "not_json", id="key without braces"),
        pytest.param('{"answer": [1, 2, 30, 40]}', ("",), "other_key", id="answer"),
        pytest.param("cat: [[1, 2, 30, 40]]\ndog: []", ("cat",), "label_as_key", id="lines"),
        pytest.param("Sure:\n- **cat**: [1, 2, 30, 40]", ("cat",), "label_as_key", id="bullet"),
        pytest.param("1. cat: [1, 2, 30, 40]", ("cat",), "label_as_key", id="numbered"),
        pytest.param("Bounding box: [1, 2, 30, 40]", ("",), "no_label", id="a key and a colon"),
        pytest.param(
            '[{"label": {"name": "cat"}, "bbox_2d": [1, 2, 30, 40]}]',
            ("cat",),
            "no_label",
            id="nested name",
        ),
        pytest.param(
            f"\\boxed{{\\text{{{CAT}}}}}", ("cat",), "text_around", id="text in a boxed answer"
        ),
        pytest.param(
            '\\boxed{\\{"bbox_2d": [1, 2, 30, 40], "label": "cat"\\}}',
            ("cat",),
            "not_a_list",
            id="escaped braces",
        ),
    ],
)
def test_read_with_an_issue(text: str, labels: tuple[str, ...], code: str) -> None:
    parsed = QWEN3.parse(text)
    assert parsed.boxes.tolist() == [[1, 2, 30, 40]]
    assert parsed.labels == labels
    assert code in parsed.issues
    assert len(QWEN3.spans(text)) in (0, 1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("The box is [1, 2, 30, 40].", "not_json", id="prose is not guessed from"),
        pytest.param("Here are the boxes: [[1, 2, 30, 40]]", "not_json", id="a sentence"),
        pytest.param("Boxes seen:\n[[1, 2, 30, 40]]", "not_json", id="a headline"),
        pytest.param("Colors: [1, 2, 30, 40]", "not_json", id="numbers that are not a place"),
        pytest.param('{"image_size": [0, 0, 640, 480]}', "not_a_list", id="a size"),
        pytest.param('["bbox_2d", [1, 2, 30, 40]]', "not_an_object", id="a key is not a label"),
        pytest.param('<point x="1" y="2" alt="cat">cat</point>', "point", id="Molmo's point"),
        pytest.param("[100, 200]", "point", id="a pair"),
        pytest.param("(100, 200)", "point", id="a pair in round brackets"),
        pytest.param('{"x": 100, "y": 200}', "point", id="x and y"),
        pytest.param('{"cat": [100, 200]}', "point", id="under a name"),
    ],
)
def test_what_is_no_box(text: str, code: str) -> None:
    parsed = QWEN3.parse(text)
    assert (len(parsed.boxes), parsed.says_nothing) == (0, False)
    assert code in parsed.issues


@pytest.mark.parametrize("text", [HYBRID, without_tokens(HYBRID)], ids=["whole", "tokens left out"])
@pytest.mark.parametrize("name", ["qwen3_vl", "qwen2_5_vl", "json"])
def test_ms_swifts_hybrid(name: str, text: str) -> None:
    format = get_format(name)
    parsed = format.parse(text)
    assert parsed.boxes.tolist() == [[1, 2, 30, 40], [5, 6, 70, 80]]
    assert (parsed.labels, parsed.issues) == (("cat", "dog"), ("special_tokens",))
    written = [[text[slice(*span)] for span in spans] for spans in format.spans(text)]
    assert written == [["1", "2", "30", "40", "cat"], ["5", "6", "70", "80", "dog"]]


QWEN2, INTERNVL = get_format("qwen2_vl"), get_format("internvl")
A, B = (f"<box>[[{numbers}]]</box>" for numbers in ("1, 2, 30, 40", "5, 6, 70, 80"))
CAT_REF, DOG_REF = "<ref>cat</ref>", "<ref>dog</ref>"


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        pytest.param(f"{A}{CAT_REF}\n{B}{DOG_REF}", ("cat", "dog"), id="one a line"),
        pytest.param(f"{A}{CAT_REF}{B}{DOG_REF}", ("cat", "dog"), id="without a gap"),
        pytest.param(f"{A}{CAT_REF}", ("cat",), id="one"),
        pytest.param(f"{A}{CAT_REF}\n{B}", ("cat", ""), id="the last has none"),
        pytest.param(f"{A}\n{CAT_REF}{B}", ("", "cat"), id="the first has none"),
        pytest.param(f"{A}\n{CAT_REF}", ("",), id="a label that lost its box"),
        pytest.param(f"{CAT_REF}{A}\n{DOG_REF}{B}", ("cat", "dog"), id="labels first"),
    ],
)
def test_a_label_after_its_box_is_not_that_of_the_next(text: str, labels: tuple[str, ...]) -> None:
    parsed = INTERNVL.parse(text)
    assert parsed.labels == labels
    assert bool(parsed.issues) is (not text.startswith("<ref>"))


def test_the_hybrid_in_the_older_format_keeps_its_labels() -> None:
    cut = HYBRID[: HYBRID.index(', "label": "<|object_ref_start|>dog')]
    assert QWEN2.parse(HYBRID).labels == ("cat", "dog")
    assert QWEN2.parse(cut).labels == ("cat", "")
    assert "label_after_box" in QWEN2.parse(HYBRID).issues


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("CLICK(box=[[1,2,30,40]])", ""),
        ("CLICK(box=[[1,2,30,40]], element_type='button', element_info='Send')", "Send"),
        ("I click. CLICK(box=[[1,2,30,40]])", ""),
        ("[button] Send -> CLICK at the box [[1,2,30,40]]", "Send"),
    ],
)
def test_an_operation_is_no_label(text: str, label: str) -> None:
    parsed = get_format("cogvlm").parse(text)
    assert (parsed.labels, parsed.issues) == ((label,), ("bad_layout",))


@pytest.mark.parametrize(
    ("text", "count", "code"),
    [
        ("The bounding box is [1, 2, 30, 40].", 1, "box_in_prose"),
        ("It is at (1,2),(30,40), that is [1, 2, 30, 40].", 1, "box_in_prose"),
        ("Either [1, 2, 30, 40] or [5, 6, 70, 80].", 0, "ambiguous_boxes"),
        ("The cat is at the left.", 0, "not_json"),
    ],
)
def test_a_box_in_prose_is_read_for_one_thing_only(text: str, count: int, code: str) -> None:
    assert len(QWEN3.parse(text).boxes) == 0
    parsed = QWEN3.parse_one(text)
    assert (parsed.boxes.tolist(), code in parsed.issues) == ([[1, 2, 30, 40]] * count, True)


def test_the_numbers_of_a_sentence_have_the_familys_order() -> None:
    parsed = get_format("gemini").parse_one("It is at [2, 1, 40, 30].")
    assert parsed.boxes.tolist() == [[1, 2, 30, 40]]


@pytest.mark.parametrize("piece", ["x [1] ", "{[", "<box>", "◁think▷", "thought\n", "[THINK]", "("])
@pytest.mark.parametrize("name", ["griffon", "qwen3_vl", "internvl", "cogvlm"])
def test_a_million_hostile_characters_take_a_moment(name: str, piece: str) -> None:
    format, start = get_format(name), time.process_time()
    format.parse_one(piece * (1_000_000 // len(piece)))
    assert time.process_time() - start < 3, "a tenth of a second is usual"


MARKS = {
    "Kimi": ("◁think▷", "◁/think▷", True),
    "Magistral": ("[THINK]", "[/THINK]", True),
    "Seed": ("<seed:think>", "</seed:think>", True),
    "Gemma 4": ("<|channel>thought", "<channel|>", True),
    "OpenThinker": ("<|begin_of_thought|>", "<|end_of_thought|>", True),
    "made up": ("<thinking>", "</thinking>", False),
    "made up, too": ("<reasoning>", "</reasoning>", False),
}


@pytest.mark.parametrize(("begins", "ends", "own"), MARKS.values(), ids=MARKS)
def test_marks_about_reasoning(begins: str, ends: str, own: bool) -> None:
    think = get_format("qwen3_vl", reasoning="think")
    for text in (
        f"{begins}I see {DRAFT}.{ends}{CAT}",
        f"I see {DRAFT}.{ends}{CAT}",
        f"{begins}{DRAFT}{begins}{DRAFT}{ends}{DRAFT}{ends}{CAT}",
        f"{begins}{DRAFT}{ends}{begins}{DRAFT}{ends}{CAT}",
    ):
        assert (QWEN3.parse(text).labels, QWEN3.parse(text).issues) == (("cat",), ("text_around",))
        assert think.parse(text).labels == ("cat",)
        assert think.parse(text).issues == (() if own else ("text_around",))
        assert [text[slice(*spans[-1])] for spans in QWEN3.spans(text)] == ["cat"]
    cut = think.parse(f"{begins}I see {DRAFT}")
    assert (len(cut.boxes), cut.issues) == (0, ("unclosed_reasoning",))
    assert QWEN3.parse(f"{CAT}{begins}{DRAFT}{ends}").labels == ("cat",)


def test_gemmas_thought_without_its_marks() -> None:
    for answer in (CAT, f"```json\n{CAT}\n```"):
        parsed = QWEN3.parse(f"thought\nMaybe {DRAFT}.\n{answer}")
        assert (parsed.labels, parsed.issues) == (("cat",), ("no_tags", "text_around"))
    cut = QWEN3.parse(f"thought\nMaybe {DRAFT}, or")
    assert (len(cut.boxes), "unclosed_reasoning" in cut.issues) == (0, True)
