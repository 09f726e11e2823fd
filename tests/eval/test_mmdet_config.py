"""mmdet configs as the description of data sets."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from mmdet_eval.metrics.mmdet_backend import stub_mmcv_ops
from mmdet_eval.suites.files import load_suite, read_suite
from mmdet_eval.suites.mmdet_config import COCO, read_config
from swift_plugin_visionr1.errors import InputError

from .odinw import make_odinw


def wheel(name: str) -> Path:
    spec = find_spec("mmdet")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / ".mim" / "configs" / name


def test_mmdets_coco_config() -> None:
    suite = read_config(wheel("_base_/datasets/coco_detection.py"))
    (spec,) = suite.datasets
    assert (suite.name, suite.protocol, spec.name) == (
        "coco_detection",
        "vision_r1_coco",
        "coco_detection",
    )
    assert spec.ann == Path("data/coco/annotations/instances_val2017.json")
    assert spec.images == Path("data/coco/val2017")
    assert (spec.classes, spec.captions) == (None, {})


@pytest.mark.parametrize("count", [13, 35])
def test_mmdets_odinw_configs_are_the_suites(count: int) -> None:
    config = wheel(f"mm_grounding_dino/odinw/grounding_dino_swin-t_pretrain_odinw{count}.py")
    assert read_config(config, "r").datasets == read_suite(f"odinw{count}", "r/data/odinw").datasets


def test_a_config_is_a_suite_with_a_root(tmp_path: Path) -> None:
    make_odinw(tmp_path / "data" / "odinw", ["odinw13"], images=1)
    config = str(wheel("mm_grounding_dino/odinw/grounding_dino_swin-t_pretrain_odinw13.py"))
    suite, left_out = load_suite(config, tmp_path)
    assert (len(suite.datasets), left_out) == (13, ())
    with pytest.raises(InputError, match="no file for 13"):
        load_suite(config, tmp_path / "data")


ONE = """
dataset = dict(type='CocoDataset', data_root='d/', ann_file='a.json', data_prefix=dict(img='i/'),
               metainfo=dict(classes=('b', 'a')), caption_prompt=dict(a=dict(name='x')))
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(ONE + text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("test_dataloader = dict(dataset=dataset)", id="test"),
        pytest.param("val_dataloader = dict(dataset=dataset)", id="val"),
        pytest.param(
            "test_dataloader = dict(dataset=dataset)\nval_dataloader = "
            "dict(dataset=dict(type='VOCDataset'))",
            id="test-before-val",
        ),
        pytest.param(
            "test_dataloader = dict(dataset=dict(type='RepeatDataset', times=2, dataset=dict("
            "type='ClassBalancedDataset', dataset=dataset)))",
            id="wrapped",
        ),
        pytest.param(
            "test_dataloader = dict(dataset=dataset)\ntest_evaluator = dict(type='CocoMetric', "
            "ann_file='d/a.json')",
            id="with-evaluator",
        ),
        pytest.param(
            "dataset['custom'] = 1\ncustom_imports = dict(imports=['no_such_module'])\n"
            "test_dataloader = dict(dataset=dataset)",
            id="imports-for-the-model",
        ),
    ],
)
def test_one_data_set(tmp_path: Path, text: str) -> None:
    (spec,) = read_config(written(tmp_path, text), "r").datasets
    assert (spec.name, spec.ann, spec.images) == ("mine", Path("r/d/a.json"), Path("r/d/i"))
    assert spec.classes == ("b", "a")
    assert spec.captions["a"].name == "x"


def test_absolute_paths_stay(tmp_path: Path) -> None:
    text = (
        "dataset.update(ann_file='/x/a.json', data_prefix=dict(img='/x/i'))\ntest_dataloader = "
        "dict(dataset=dataset)"
    )
    (spec,) = read_config(written(tmp_path, text), "r").datasets
    assert (spec.ann, spec.images) == (Path("/x/a.json"), Path("/x/i"))


def test_a_new_style_config(tmp_path: Path) -> None:
    path = tmp_path / "new.py"
    path.write_text(
        "from mmengine.config import read_base\nfrom mmdet.datasets import CocoDataset\n"
        "test_dataloader = dict(dataset=dict(type=CocoDataset, data_root='d', ann_file='a.json'))\n"
    )
    (spec,) = read_config(path).datasets
    assert (spec.ann, spec.images) == (Path("d/a.json"), Path("d"))


def test_referring_expressions_are_asked_for_as_such(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "dataset['type'] = 'MDETRStyleRefCocoDataset'\ntest_dataloader = dict(dataset=dataset)",
    )
    assert read_config(path).protocol == "refcoco"


@pytest.mark.parametrize("name", ["LVISV1Dataset", "Objects365V2Dataset"])
def test_other_data_sets_of_coco_files(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, f"dataset['type'] = {name!r}\ntest_dataloader = dict(dataset=dataset)")
    suite = read_config(path)
    assert (suite.protocol, suite.datasets[0].classes) == ("vision_r1_coco", ("b", "a"))


def test_all_of_mmdets_data_sets_of_coco_files_are_accepted() -> None:
    """Those that read boxes as CocoDataset does: panoptic ones keep segments, and video ones
    frames."""
    with stub_mmcv_ops():
        from mmdet.datasets import CocoDataset, CocoPanopticDataset
        from mmdet.registry import DATASETS
    kinds = {
        name
        for name, kind in DATASETS.module_dict.items()
        if isinstance(kind, type)
        and issubclass(kind, CocoDataset)
        and not issubclass(kind, CocoPanopticDataset)
    }
    assert set(COCO) == kinds


SEVERAL = (
    "test_dataloader = dict(dataset=dict(type='ConcatDataset', datasets=[dataset, dataset]))\n"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "test_dataloader or val_dataloader", id="no-dataloader"),
        pytest.param(
            "test_dataloader = dict(dataset=dict(type='VOCDataset'))",
            "got VOCDataset",
            id="other-type",
        ),
        pytest.param(SEVERAL, "each of its 2 data sets .* got 0 metrics", id="no-prefixes"),
        pytest.param(
            "test_dataloader = dict(dataset=dict(type='ConcatDataset', datasets=[]))",
            "its 0 data sets",
            id="none",
        ),
        pytest.param(
            SEVERAL + "test_evaluator = dict(metrics=[{}, {}], dataset_prefixes=['a', 'a'])",
            "'a', 'a'",
            id="same-name",
        ),
        pytest.param(
            "test_dataloader = dict(dataset=dataset)\ntest_evaluator = dict(type='CocoMetric', "
            "ann_file='d/b.json')",
            "got d/a.json and d/b.json",
            id="two-files",
        ),
        pytest.param(
            "dataset['metainfo'] = dict(classes='names.txt')\ntest_dataloader = "
            "dict(dataset=dataset)",
            "classes of .* got 'names.txt'",
            id="classes-file",
        ),
        pytest.param("raise RuntimeError('boom')", "RuntimeError: boom", id="config-that-fails"),
        pytest.param("_base_ = 'nowhere.py'", r"nowhere\.py", id="missing-base"),
    ],
)
def test_other_configs_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_config(written(tmp_path, text))


def test_a_missing_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.py"):
        read_config(tmp_path / "nowhere.py")
