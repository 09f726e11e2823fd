"""The stand-ins of InternVL, Ovis2.5, PaliGemma 2 and Gemma 4 see their images, through ms-swift's own
loader and template."""

from collections import Counter
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("swift", reason="needs the extra `swift`")

import torch
from PIL import Image
from swift.model import get_model_processor
from swift.template import get_template

STAND_INS = [  # module, model_type, template, visual tokens of an image of 112 x 112 pixels
    pytest.param("internvl", "internvl", None, 256, id="internvl"),
    pytest.param("internvl_chat", "internvl_chat", "internvl2_5", 256, id="internvl_chat"),
    pytest.param("ovis", "ovis2_5", None, 196, id="ovis2_5"),
    pytest.param("paligemma", "paligemma", "paligemma_grpo", 256, id="paligemma"),
    pytest.param("gemma4", "gemma4", "gemma4_nothinking", 256, id="gemma 4"),
]


def loaded(
    folder: Path, example: Path, module: str, model_type: str, template: str | None
) -> SimpleNamespace:
    import_module(f".stand_ins.{module}", __package__).build(folder, example)
    model, processor = get_model_processor(
        str(folder), model_type=model_type, torch_dtype=torch.float32
    )
    made = get_template(processor, template_type=template)
    made.model = model
    made.set_mode("train")
    made.register_post_encode_hook([model])
    return SimpleNamespace(model=model, template=made)


def encoded(run: SimpleNamespace, image: Image.Image, answer: str = "cat") -> dict[str, Any]:
    messages = [
        {"role": "user", "content": "<image>Where?"},
        {"role": "assistant", "content": answer},
    ]
    return run.template.encode({"messages": messages, "images": [image]})


@torch.no_grad()
def logits(run: SimpleNamespace, row: dict[str, Any]) -> torch.Tensor:
    return run.model(**run.template.data_collator([row])).logits[0]


@pytest.mark.parametrize(("module", "model_type", "template", "tokens"), STAND_INS)
def test_the_answer_depends_on_the_image(
    tmp_path: Path,
    checkpoint: Path,
    module: str,
    model_type: str,
    template: str | None,
    tokens: int,
) -> None:
    run = loaded(tmp_path / "model", checkpoint, module, model_type, template)
    red, half = Image.new("RGB", (112, 112), "red"), Image.new("RGB", (112, 112), "red")
    half.paste("blue", (0, 0, 112, 56))
    rows = [encoded(run, red), encoded(run, half), encoded(run, red)]
    assert Counter(rows[0]["input_ids"]).most_common(1)[0][1] == tokens
    first, other, again = (logits(run, row)[-1] for row in rows)
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=1e-6)


def test_paligemma_reads_the_prompt_both_ways_and_the_answer_forwards(
    tmp_path: Path, checkpoint: Path
) -> None:
    run = loaded(tmp_path / "model", checkpoint, "paligemma", "paligemma", "paligemma_grpo")
    image = Image.new("RGB", (112, 112), "red")
    row = encoded(run, image, "<loc0001> cat")
    prompt = row["labels"].count(-100)
    assert row["token_type_ids"] == [0] * prompt + [1] * (len(row["labels"]) - prompt)
    before = logits(run, row)
    for place, from_place in (
        (len(row["input_ids"]) - 2, len(row["input_ids"]) - 2),
        (prompt - 1, 0),
    ):
        changed = logits(
            run, row | {"input_ids": [*row["input_ids"][:place], 7, *row["input_ids"][place + 1 :]]}
        )
        moved = (changed - before).abs().amax(1) > 1e-7
        assert moved[from_place]
        assert not moved[:from_place].any()


def test_ms_swifts_own_paligemma_template_does_not_do_for_grpo(
    tmp_path: Path, checkpoint: Path
) -> None:
    """When this fails, ms-swift is repaired, and the template paligemma_grpo can go."""
    run = loaded(tmp_path / "model", checkpoint, "paligemma", "paligemma", None)
    with pytest.raises(IndexError):
        run.template.encode({"messages": [{"role": "user", "content": "detect cat"}]})
