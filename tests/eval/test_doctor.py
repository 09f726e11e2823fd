"""What the doctor says of environments, whole and broken."""

import pytest

from mmdet_eval.installation import examine, installed, report

WHOLE = {
    "mmdet": "3.3.0",
    "mmengine": "0.10.7",
    "mmcv-lite": "2.1.0",
    "pycocotools": "2.0.11",
    "hotcoco": "1.3.0",
    "opencv-python": "4.13.0",
    "torch": "2.13.0",
}
FORK = {"onedl-mmdetection": "3.5.1", "onedl-mmengine": "0.10.12", "onedl-mmcv": "2.3.6"}


def said(packages: dict[str, str], state: str) -> list[str]:
    return [finding.text for finding in examine(packages) if finding.state == state]


def without(*names: str) -> dict[str, str]:
    return {name: version for name, version in WHOLE.items() if name not in names}


@pytest.mark.parametrize(
    "packages",
    [
        pytest.param(WHOLE, id="open-mmlab"),
        pytest.param(without("mmdet", "mmengine", "mmcv-lite") | FORK, id="onedl"),
    ],
)
def test_a_whole_environment_has_no_problem(packages: dict[str, str]) -> None:
    assert said(packages, "problem") == said(packages, "note") == []


@pytest.mark.parametrize(
    ("packages", "named"),
    [
        pytest.param(without("mmdet"), "MMDetection is missing", id="no-mmdet"),
        pytest.param(without("mmcv-lite"), "mmcv is missing", id="no-mmcv"),
        pytest.param(without("pycocotools"), "pip install pycocotools", id="no-pycocotools"),
        pytest.param(without("torch"), "pip install torch", id="no-torch"),
        pytest.param(without("opencv-python"), "OpenCV is missing", id="no-opencv"),
        pytest.param(WHOLE | {"mmcv-lite": "2.2.0"}, "mmcv-lite>=2.0,<2.2", id="mmcv-2.2"),
        pytest.param(
            WHOLE | {"mmcv": "2.1.0"}, "mmcv and mmcv-lite write the same folder", id="two-mmcv"
        ),
        pytest.param(
            WHOLE | FORK, "mmdet and onedl-mmdetection write the same folder", id="two-mmdet"
        ),
    ],
)
def test_a_broken_environment_is_named(packages: dict[str, str], named: str) -> None:
    assert any(named in text for text in said(packages, "problem")), said(packages, "problem")


def test_two_opencvs_are_a_note_with_the_way_out() -> None:
    (note,) = said(WHOLE | {"opencv-python-headless": "4.13.0"}, "note")
    assert "both write cv2/" in note
    assert "--no-deps" in note


def test_hotcoco_is_optional() -> None:
    assert said(without("hotcoco"), "problem") == []
    assert "pycocotools checks" in said(without("hotcoco"), "note")[0]


def test_this_environment_works() -> None:
    text, works = report()
    assert works, text
    assert "mAP 1.000" in text
    assert f"mmdet {installed()['mmdet']} (open-mmlab)" in text
