"""Suites: what they say agrees with mmdet's configs; missing data sets; one's own files."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from mmdet_eval.coco.annotations import read_annotations
from mmdet_eval.suites.files import load_suite, read_suite, suite_names
from mmdet_eval.suites.spec import Caption, Suite
from swift_plugin_visionr1.errors import InputError

from .odinw import make_odinw

ODINW = "mm_grounding_dino/odinw/grounding_dino_swin-t_pretrain_odinw{}.py"


def config(name: str) -> dict[str, Any]:
    """A config of mmdet's wheel, resolved by mmengine."""
    from mmengine.config import Config

    spec = find_spec("mmdet")
    assert spec is not None
    assert spec.origin is not None
    return dict(Config.fromfile(Path(spec.origin).parent / ".mim" / "configs" / name).to_dict())


@pytest.mark.parametrize("count", [13, 35])
def test_odinw_agrees_with_mmdets_config(count: int) -> None:
    resolved = config(ODINW.format(count))
    datasets = resolved["test_dataloader"]["dataset"]["datasets"]
    suite = read_suite(f"odinw{count}", "data/odinw")
    assert [spec.name for spec in suite.datasets] == resolved["test_evaluator"]["dataset_prefixes"]
    assert len(suite.datasets) == len(datasets) == count
    for spec, theirs in zip(suite.datasets, datasets, strict=True):
        folder = Path(theirs["data_root"])
        assert spec.ann == folder / theirs["ann_file"]
        assert spec.images == folder / theirs["data_prefix"]["img"]
        assert spec.classes == tuple(theirs["metainfo"]["classes"])
        captions = {
            key: Caption(**parts) for key, parts in (theirs.get("caption_prompt") or {}).items()
        }
        assert spec.captions == captions


def test_the_out_of_domain_sets_are_odinw35s_and_vector() -> None:
    own, all35 = (read_suite(name, "r").datasets for name in ("vision_r1_ood", "odinw35"))
    assert [spec.name for spec in own] == [
        "boggleBoards",
        "MountainDewCommercial",
        "ThermalCheetah",
        "vector",
    ]
    assert all(spec in all35 for spec in own[:3])
    folder = Path(
        "r/vector/vectorCompleteDataset.v5-v5-(resize-+-grayscale-+-rotate-+-blur-+-bb-optimizations).coco"
    )
    assert own[3].images == folder / "valid"
    assert own[3].classes is None


def test_refcoco_has_every_split_with_its_own_name() -> None:
    specs = read_suite("refcoco", "coco").datasets
    assert [spec.name for spec in specs] == [
        "refcoco_val",
        "refcoco_testA",
        "refcoco_testB",
        "refcoco+_val",
        "refcoco+_testA",
        "refcoco+_testB",
        "refcocog_val",
        "refcocog_test",
    ]
    assert {spec.ann for spec in specs} == {
        Path(f"coco/mdetr_annotations/finetune_{s.name}.json") for s in specs
    }
    zero_shot = config(
        "mm_grounding_dino/refcoco/grounding_dino_swin-t_pretrain_zeroshot_refexp.py"
    )
    theirs = {
        Path("coco") / part["ann_file"]
        for part in zero_shot["test_dataloader"]["dataset"]["datasets"]
    }
    assert (
        len(theirs & {spec.ann for spec in specs}) == 5
    )  # its other files are of gRefCOCO, and all of val in one


@pytest.mark.parametrize(
    ("name", "protocol"),
    [
        ("coco_val2017", "vision_r1_coco"),
        ("odinw13", "vision_r1_odinw"),
        ("odinw35", "vision_r1_odinw"),
        ("refcoco", "refcoco"),
        ("vision_r1_ood", "vision_r1_odinw"),
    ],
)
def test_default_protocols(name: str, protocol: str) -> None:
    assert name in suite_names()
    assert read_suite(name, ".").protocol == protocol


def test_coco_is_found_as_it_is_unpacked() -> None:
    (spec,) = read_suite("coco_val2017", "coco").datasets
    assert (spec.ann, spec.images) == (
        Path("coco/annotations/instances_val2017.json"),
        Path("coco/val2017"),
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odinw")
    make_odinw(folder, ["odinw13", "odinw35", "vision_r1_ood"])
    return folder


@pytest.mark.parametrize("name", ["odinw13", "odinw35", "vision_r1_ood"])
def test_every_set_of_a_whole_root_is_read(root: Path, name: str) -> None:
    suite, left_out = load_suite(name, root)
    assert left_out == ()
    for spec in suite.datasets:
        annotations = read_annotations(spec.ann, spec.classes)
        assert spec.classes is None or list(annotations.categories.values()) == list(spec.classes)
        assert {record["category_id"] for record in annotations.data["annotations"]} == set(
            annotations.categories
        )


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """A root where two of the four out-of-domain sets are missing."""
    make_odinw(tmp_path, ["vision_r1_ood"], images=1)
    for spec in read_suite("vision_r1_ood", tmp_path).datasets[1:3]:
        spec.ann.unlink()
    return tmp_path


def test_missing_sets_are_named_with_their_paths(half: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_suite("vision_r1_ood", half)
    message = str(caught.value)
    assert "no file for 2" in message
    assert (
        "MountainDewCommercial: "
        f"{half}/MountainDewCommercial/valid/annotations_without_background.json" in message
    )
    assert "boggleBoards" not in message
    assert "--allow-missing" in message


def test_missing_sets_are_left_out_where_that_is_allowed(half: Path) -> None:
    suite, left_out = load_suite("vision_r1_ood", half, allow_missing=True)
    assert left_out == ("MountainDewCommercial", "ThermalCheetah")
    assert [spec.name for spec in suite.datasets] == ["boggleBoards", "vector"]


def test_a_root_without_any_set_is_an_error_even_then(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file for 13 .*check --root"):
        load_suite("odinw13", tmp_path, allow_missing=True)


def test_the_script_that_makes_new_annotations_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="override_category.py"):
        load_suite("odinw35", tmp_path)


def own(tmp_path: Path, dataset: str) -> Suite:
    path = tmp_path / "mine.yaml"
    path.write_text(f"protocol: vision_r1_odinw\ndatasets:\n  a: {dataset}\n")
    return read_suite(str(path), "root")


def test_ones_own_suite(tmp_path: Path) -> None:
    suite = own(
        tmp_path,
        '{folder: f, ann: a.json, images: i, classes: ["1"], captions: {"1": {name: one}}}',
    )
    (spec,) = suite.datasets
    assert (suite.name, suite.protocol, spec.name) == ("mine", "vision_r1_odinw", "a")
    assert (spec.ann, spec.images) == (Path("root/f/a.json"), Path("root/f/i"))
    assert (spec.classes, spec.captions) == (("1",), {"1": Caption("one")})


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        pytest.param("{ann: a.json}", "expected images in a of .*, got none", id="no-images"),
        pytest.param("{ann: a, images: i, class: [a]}", "did you mean 'classes'", id="unknown-key"),
        pytest.param("{ann: a, images: i, classes: [1, 2]}", "in quotes", id="numbers-as-classes"),
        pytest.param("{ann: 1, images: i}", "ann of a .* to be text, got 1", id="path-no-text"),
        pytest.param(
            "{ann: a, images: i, captions: {b: {nam: c}}}", "did you mean 'name'", id="caption-key"
        ),
        pytest.param(
            "{ann: a, images: i, captions: {b: {name: 1}}}",
            "to be text or null, got 1",
            id="caption-no-text",
        ),
        pytest.param(
            "{ann: a, images: i, captions: [b]}",
            "captions of a .* lines or null",
            id="captions-list",
        ),
        pytest.param("a.json", "got a str", id="no-mapping"),
    ],
)
def test_wrong_suites_are_refused(tmp_path: Path, dataset: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        own(tmp_path, dataset)


def test_a_near_name_is_offered() -> None:
    with pytest.raises(InputError, match="did you mean 'odinw13'"):
        load_suite("odinw-13", ".")
