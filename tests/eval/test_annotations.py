"""Reading COCO annotations: what is refused, what is repaired."""

from pathlib import Path
from typing import Any

import pytest

from mmdet_eval import InputError, read_annotations


def test_reads_images_and_categories_in_the_files_order(dataset: Any, write: Any) -> None:
    annotations = read_annotations(write("ann.json", dataset))
    assert [image.id for image in annotations.images] == [3, 0, 12]
    assert annotations.images[1].size == (1333, 799)
    assert list(annotations.categories.items()) == [
        (7, "red circle"),
        (2, "blue square"),
        (5, "Cat"),
    ]


def test_a_file_without_faults_is_used_as_it_is(dataset: Any, write: Any) -> None:
    for annotation in dataset["annotations"]:
        annotation["id"] += 1000
    annotations = read_annotations(write("ann.json", dataset))
    assert annotations.repairs == ()
    with annotations.metric_file() as path:
        assert path == annotations.path


def test_repairs_are_named(dataset: Any, write: Any) -> None:
    del dataset["annotations"][1]["area"], dataset["annotations"][2]["iscrowd"]
    repairs = read_annotations(write("ann.json", dataset)).repairs
    assert [text.split()[0] for text in repairs] == ["annotation", '"area"', '"iscrowd"']
    assert "1 of 4" in repairs[1]


def edit(section: str, **change: Any) -> Any:
    def apply(data: dict[str, Any]) -> None:
        data[section][0] |= change

    return apply


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(lambda d: d.pop("images"), 'list of objects "images"', id="no-images"),
        pytest.param(
            lambda d: d.update(images=[]), 'at least one entry in "images"', id="empty-images"
        ),
        pytest.param(
            lambda d: d.update(categories=[1]),
            'list of objects "categories"',
            id="numbers-as-categories",
        ),
        pytest.param(edit("images", id=0), "each id of images once.*got 0", id="image-id-twice"),
        pytest.param(edit("images", id="3"), "all integers or all strings", id="mixed-ids"),
        pytest.param(edit("images", width=None), 'image 3 .* "width"', id="no-width"),
        pytest.param(edit("images", height=0), "image 3 .* in pixels", id="no-height"),
        pytest.param(edit("categories", name=None), 'category 7 .* "name"', id="no-name"),
        pytest.param(
            edit("annotations", image_id=77),
            "annotation 0 .* image_id .* got 77",
            id="annotation-of-no-image",
        ),
        pytest.param(
            edit("annotations", category_id=1),
            "annotation 0 .* category_id .* got 1",
            id="of-no-category",
        ),
        pytest.param(
            edit("annotations", bbox=[1, 2, float("nan"), 4]), "four finite numbers", id="nan-box"
        ),
        pytest.param(edit("annotations", bbox=None), "four finite numbers", id="no-box"),
        pytest.param(edit("images", width=640.5), "image 3 .* in pixels", id="half-a-pixel"),
        pytest.param(
            edit("annotations", iscrowd="0"),
            "annotation 0 .* iscrowd of 0 or 1, got '0'",
            id="crowd-text",
        ),
        pytest.param(
            edit("annotations", iscrowd=2), "annotation 0 .* iscrowd of 0 or 1, got 2", id="crowd-2"
        ),
        pytest.param(
            edit("annotations", area="400"), "annotation 0 .* area .* got '400'", id="area-text"
        ),
        pytest.param(
            edit("annotations", area=float("nan")), "annotation 0 .* area .* got nan", id="area-nan"
        ),
        pytest.param(
            edit("annotations", area=-1), "annotation 0 .* area .* got -1", id="area-negative"
        ),
    ],
)
def test_broken_annotations_are_refused(dataset: Any, write: Any, spoil: Any, message: str) -> None:
    spoil(dataset)
    with pytest.raises(InputError, match=message):
        read_annotations(write("ann.json", dataset))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[]"], ids=["empty", "cut", "binary", "list"]
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ann.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"ann\.json"):
        read_annotations(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.json.*No such file"):
        read_annotations(tmp_path / "nowhere.json")


def test_only_the_classes_given_are_kept_in_the_files_order(dataset: Any, write: Any) -> None:
    annotations = read_annotations(write("ann.json", dataset), ["Cat", "red circle"])
    assert list(annotations.categories.items()) == [(7, "red circle"), (5, "Cat")]
    assert [category["id"] for category in annotations.data["categories"]] == [7, 5]
    assert [record["category_id"] for record in annotations.data["annotations"]] == [7, 5, 7]
    assert len(annotations.images) == 3
    assert "1 of 3 categories left out with 1 of 4 annotations" in annotations.repairs[0]
    assert "'blue square'" in annotations.repairs[0]


def test_the_metric_reads_only_the_classes_given(dataset: Any, write: Any) -> None:
    with read_annotations(write("ann.json", dataset), ["Cat"]).metric_file() as path:
        assert list(read_annotations(path).categories.values()) == ["Cat"]


def test_all_classes_in_another_order_change_nothing(dataset: Any, write: Any) -> None:
    path = write("ann.json", dataset)
    assert (
        read_annotations(path, ["Cat", "blue square", "red circle"]).data
        == read_annotations(path).data
    )


def test_a_class_that_the_file_lacks_is_refused(dataset: Any, write: Any) -> None:
    with pytest.raises(InputError, match="category 'red circles', got .*did you mean 'red circle'"):
        read_annotations(write("ann.json", dataset), ["red circles"])


def test_crowds_are_not_present(dataset: Any, write: Any) -> None:
    dataset["annotations"][1]["iscrowd"] = 1
    assert read_annotations(write("ann.json", dataset)).present() == {3: (7,), 0: (5,), 12: (7,)}


def test_supercategories_of_a_real_export_are_left_out(shared_data: Path) -> None:
    path = shared_data / "chess_cc0" / "instances_valid.json"
    names = [name for name in read_annotations(path).categories.values() if name != "pieces"]
    annotations = read_annotations(path, names)
    assert 0 not in annotations.categories
    assert len(annotations.categories) == 13
    assert len(annotations.data["annotations"]) == len(read_annotations(path).data["annotations"])


@pytest.mark.parametrize("crowd", [True, 1, 1.0], ids=repr)
def test_crowds_in_other_words_of_json(dataset: Any, write: Any, crowd: Any) -> None:
    dataset["annotations"][0] |= {"iscrowd": crowd, "area": 0}
    assert read_annotations(write("ann.json", dataset)).present()[3] == (2,)


def test_widths_as_floats_are_whole_pixels(dataset: Any, write: Any) -> None:
    dataset["images"][0]["width"] = 641.0
    assert repr(read_annotations(write("ann.json", dataset)).images[0].size) == "(641, 427)"


def test_lvis_names_its_pictures_by_their_address(dataset: Any, write: Any) -> None:
    del dataset["images"][0]["file_name"]
    dataset["images"][0]["coco_url"] = "http://images.cocodataset.org/val2017/000000397133.jpg"
    assert (
        read_annotations(write("ann.json", dataset)).images[0].file_name
        == "val2017/000000397133.jpg"
    )


def test_categories_of_a_real_export_that_are_never_annotated(shared_data: Path) -> None:
    annotations = read_annotations(shared_data / "chess_cc0" / "instances_valid.json")
    assert annotations.unannotated() == ("pieces", "bishop")
