"""`--score verify`: what the model is asked about its boxes, and what becomes of its answers."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mmdet_eval.asking.asked_model import AskedModel
from mmdet_eval.asking.box_views import LEAST_SIDE, crop_of, picture
from mmdet_eval.asking.verification import Claim, p_yes, verified, verify
from mmdet_eval.cli import main
from mmdet_eval.suites.spec import DatasetSpec
from swift_plugin_visionr1.errors import InputError
from swift_plugin_visionr1.models.chat import ChatOptions

from .conftest import SIZES, TRUTHS, perfect
from .test_run import spec  # noqa: F401

# Answers boxes with `perfect`, and questions about a box with the probability of its colour: the
# brighter the middle of the picture, the likelier yes.
FAKE = """
import json, math, sys
from pathlib import Path
from PIL import Image
arguments = dict(zip(sys.argv[2::2], sys.argv[3::2]))
answers = json.loads(Path({answers!r}).read_text())
with open({log!r}, "a") as log, open(arguments["--result_path"], "a") as out:
    for row in map(json.loads, open(arguments["--val_dataset"])):
        path = row["images"][0]
        text = row["messages"][-1]["content"]
        log.write(json.dumps([text, sys.argv]) + "\\n")
        log.flush()
        if "yes or no" not in text:
            row["response"] = answers[Path(path).stem]
        else:
            image = Image.open(path).convert("L")
            share = (1 + image.getpixel((image.width // 2, image.height // 2))) / 257
            top = [
                {{"token": "Yes", "logprob": math.log(share)}},
                {{"token": " no", "logprob": math.log(1 - share)}},
            ]
            row |= {{"response": "?", "logprobs": {{"content": [top[0] | {{"top_logprobs": top}}]}}}}
        out.write(json.dumps(row) + "\\n")
        if {limit} and sum(1 for _ in open({log!r})) >= {limit}:
            sys.exit("killed")
"""


def fake_swift(folder: Path, monkeypatch: pytest.MonkeyPatch, limit: int = 0) -> Path:
    """A `swift infer` in place of ms-swift's; returns the log of what it was asked."""
    package = folder / "fake" / "swift" / "cli"
    package.mkdir(parents=True, exist_ok=True)
    for part in (package.parent, package):
        (part / "__init__.py").touch()
    answers = {f"{image}": perfect(image) for image in SIZES}
    (folder / "perfect.json").write_text(json.dumps(answers))
    log = folder / "asked.log"
    code = FAKE.format(answers=str(folder / "perfect.json"), log=str(log), limit=limit)
    # Of another size for another limit: Python tells its compiled file by size and second.
    (package / "main.py").write_text(code + "#" * limit)
    monkeypatch.setenv("PYTHONPATH", str(folder / "fake"))
    return log


def shade(spec: DatasetSpec) -> dict[int, int]:  # noqa: F811
    """Paint each image in a grey of its own."""
    greys = {3: 200, 0: 100, 12: 30}
    for image, grey in greys.items():
        Image.new("L", SIZES[image], grey).save(spec.images / f"val/{image}.png")
    return greys


def command(spec: DatasetSpec, out: Path, score: str) -> list[str]:  # noqa: F811
    places = ["--ann", spec.ann, "--images", spec.images, "--out", out]
    options = ["--max-pixels", 401408, "--engine", "hotcoco", "--score", score]
    return [str(word) for word in ("run", "--model", "some/model", *places, *options)]


def test_scores_are_what_the_model_says(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Asked both ways, one after the other, in the same folder."""
    log, greys = fake_swift(tmp_path, monkeypatch), shade(spec)
    for times, score in enumerate(("verify", "verify-drawn"), start=1):
        _check_score(score, spec, tmp_path, log, greys, times)


def _check_score(
    score: str,
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
    log: Path,
    greys: dict[int, int],
    times: int,
) -> None:
    out = tmp_path / "out"
    assert main(command(spec, out, score)) == 0
    results = json.loads((out / "ann" / "coco_results.json").read_text())
    assert len(results) == sum(map(len, TRUTHS.values()))
    for one in results:
        assert one["score"] == pytest.approx((1 + greys[one["image_id"]]) / 257, abs=0.02)
    asked = log.read_text()
    assert len(asked.splitlines()) == len(SIZES) + times * len(results)
    assert "red circle" in asked.splitlines()[-1] or "Cat" in asked
    entry = json.loads((out / "metrics.json").read_text())["datasets"]["ann"]
    assert entry["conditions"]["confidence"].startswith(f"{score}:")
    assert entry["calibration"]["ece"] is not None
    assert not list((out / score / "images").iterdir()), "pictures are kept only while asking"

    assert main(command(spec, out, score)) == 0
    assert log.read_text() == asked, "nothing is asked twice"
    again = ["--ann", spec.ann, "--pred", out / "answers" / "ann.jsonl", "--images", spec.images]
    options = ["--score", score, "--engine", "hotcoco", "--out", tmp_path / f"{score}2"]
    assert main([str(word) for word in (*again, *options)]) == 0
    stored = json.loads((tmp_path / f"{score}2" / "ann" / "coco_results.json").read_text())
    assert stored == results


def test_an_interrupted_verification_goes_on(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, out = fake_swift(tmp_path, monkeypatch, limit=5), tmp_path / "out"
    shade(spec)
    assert main(command(spec, out, "verify")) == 1, "killed after 3 answers and 2 verifications"
    fake_swift(tmp_path, monkeypatch)
    assert main(command(spec, out, "verify")) == 0
    assert len(log.read_text().splitlines()) == 7
    assert len(json.loads((out / "verify" / "run.json").read_text())["calls"]) == 2


def test_a_yes_of_another_model_does_not_count(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake_swift(tmp_path, monkeypatch)
    claim = Claim(spec.images / "val/3.png", (1.0, 2.0, 30.0, 40.0), "cat")
    assert set(verify(AskedModel("some/model"), [claim], tmp_path / "out")) == {claim}
    assert set(verified([claim], tmp_path / "out")) == {claim}
    with pytest.raises(InputError, match="verify-drawn"):
        verified([claim], tmp_path / "out", "drawn")
    Image.new("L", SIZES[3], 255).save(spec.images / "val/3.png")
    assert verified([claim], tmp_path / "out") == {}, "another image is another question"
    with pytest.raises(InputError, match="another model"):
        verify(AskedModel("other/model"), [claim], tmp_path / "out")


def test_the_question_overrides_what_is_for_boxes(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = fake_swift(tmp_path, monkeypatch)
    options = ("--max_new_tokens", "2048", "--logprobs", "false", "--system", "Hi")
    model = AskedModel("m", options=options, chat=ChatOptions(response_prefix="[{"))
    claim = Claim(spec.images / "val/3.png", (1.0, 2.0, 30.0, 40.0), "cat")
    verify(model, [claim], tmp_path / "out")
    text, arguments = json.loads(log.read_text())
    assert text == "<image>Is this a cat? Answer yes or no."
    last = dict(zip(arguments[2::2], arguments[3::2], strict=False))
    expected = {"--max_new_tokens": "4", "--logprobs": "true", "--top_logprobs": "20"}
    assert {name: last[name] for name in expected} == expected
    assert "--response_prefix" not in last
    assert last["--system"] == "Hi"


def place(**tokens: float) -> dict[str, Any]:
    top = [{"token": name, "logprob": math.log(p)} for name, p in tokens.items()]
    return top[0] | {"top_logprobs": top}


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        pytest.param([place(yes=0.8, no=0.1)], 8 / 9, id="yes"),
        pytest.param([place(No=0.6, Yes=0.2, YES=0.1)], 1 / 3, id="cases add up"),
        pytest.param([place(n=0.6, y=0.2)], 0.25, id="pieces of words"),
        pytest.param([place(Sure=0.9, no=0.01), place(yes=0.9)], 1.0, id="at the second place"),
        pytest.param([place(Sure=0.9, no=0.02, yes=0.02)], 0.5, id="unlikely, but all there is"),
        pytest.param([place(maybe=1.0)], None, id="neither"),
        pytest.param([place(none=0.7, yesterday=0.2)], None, id="other words"),
        pytest.param([], None, id="no token"),
        pytest.param([{"token": "yes", "logprob": -0.1}], 1.0, id="without alternatives"),
    ],
)
def test_the_probability_of_yes(places: list[dict[str, Any]], expected: float | None) -> None:
    assert p_yes({"content": places}) == (expected and pytest.approx(expected))


def test_without_log_probabilities_nothing_is_known() -> None:
    assert p_yes(None) is None


@pytest.mark.parametrize(
    ("box", "size"),
    [
        pytest.param((0, 0, 640, 480), (640, 480), id="whole image"),
        pytest.param((639, 479, 640, 480), (640, 480), id="one pixel in the corner"),
        pytest.param((10.2, 10, 10.4, 400), (640, 480), id="sliver"),
        pytest.param((0, 5, 900, 6), (900, 700), id="line"),
    ],
)
def test_a_crop_holds_the_box_and_is_no_sliver(box: tuple[float, ...], size: Any) -> None:
    x1, y1, x2, y2 = crop_of(box, size)
    assert 0 <= x1 <= box[0] < x2 <= size[0]
    assert 0 <= y1 <= box[1] < y2 <= size[1]
    assert box[2] <= x2 + 1
    assert box[3] <= y2 + 1
    shown = picture(Image.new("RGB", size), box, "crop")
    assert min(shown.size) >= LEAST_SIDE
    assert max(shown.size) <= 20 * min(shown.size)


def test_a_model_that_says_neither_yes_nor_no(
    spec: DatasetSpec,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake_swift(tmp_path, monkeypatch)
    main_py = tmp_path / "fake" / "swift" / "cli" / "main.py"
    code = main_py.read_text().replace('"Yes"', '"["').replace('" no"', '"{"')
    main_py.write_text(code)
    assert main(command(spec, tmp_path / "out", "verify")) == 2
    assert "neither yes nor no" in capsys.readouterr().err
    assert main(command(spec, tmp_path / "out", "rank")) == 0, "the answers are kept"


def test_answers_of_somewhere_else_cannot_be_verified(
    dataset: Any, rows: Any, write: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--ann", write("ann.json", dataset), "--pred", write("infer.jsonl", rows)]
    assert main([str(word) for word in (*files, "--score", "verify")]) == 2
    assert "mmdet-eval run" in capsys.readouterr().err
