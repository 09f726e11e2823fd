"""Labels to categories: exact names, rules, and the sets in which a rule must rest."""

from pathlib import Path

import pytest

from mmdet_eval import InputError
from mmdet_eval.answers.labels import CategoryNames, read_synonyms


def find(names: list[str], label: str) -> str | None:
    """The name of the category that the label finds."""
    found = CategoryNames(dict(enumerate(names))).find(label)
    return None if found is None else names[int(found)]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        pytest.param("wine glass", "wine glass", id="exact"),
        pytest.param("Wine GLASS", "wine glass", id="case"),
        pytest.param(" wine glass\n", "wine glass", id="space around"),
        pytest.param("wine_glass", "wine glass", id="underscore"),
        pytest.param("Wine-  glass", "wine glass", id="hyphen and spaces"),
        pytest.param("wine glasses", "wine glass", id="plural in -es"),
        pytest.param("ties", "tie", id="plural in -s"),
        pytest.param("berries", "berry", id="plural in -ies"),
        pytest.param("knives", "knife", id="plural in -ves"),
        pytest.param("Scissor", "scissors", id="singular of a name in the plural"),
        pytest.param("bus", "bus", id="no plural"),
        pytest.param("wines glass", None, id="the last word only"),
        pytest.param("glass", None, id="a part"),
        pytest.param("", None, id="nothing"),
        pytest.param(" ", None, id="blank"),
    ],
)
def test_rules(label: str, name: str | None) -> None:
    assert find(["wine glass", "tie", "berry", "knife", "scissors", "bus"], label) == name


@pytest.mark.parametrize(
    ("names", "off", "found"),
    [
        pytest.param(
            ["Q", "q", "cat"],
            {"casefold"},
            {"Q": "Q", "q": "q", "CAT": None, "cats ": "cat"},
            id="Q and q",
        ),
        pytest.param(
            ["o", "o ", "p"],
            {"strip"},
            {"o": "o", "o ": "o ", "P": "p", " o": None},
            id="o and 'o '",
        ),
        pytest.param(
            ["  ", " "],
            {"strip", "separators"},
            {"  ": "  ", " ": " ", "   ": None, "": None},
            id="blank",
        ),
        pytest.param(["  ", "x"], set(), {"  ": "  ", "": None, " ": None}, id="one blank name"),
        pytest.param(
            ["1", "2", "11"], set(), {"1": "1", "11": "11", " 2": "2", "1s": None}, id="digits"
        ),
        pytest.param(["a-b", "a b"], {"separators"}, {"a-b": "a-b", "a_b": None}, id="separators"),
        pytest.param(
            ["dog", "dogs"],
            {"singular"},
            {"dog": "dog", "Dogs": "dogs", "dogses": None},
            id="singular",
        ),
    ],
)
def test_a_rule_that_merges_two_names_rests(
    names: list[str], off: set[str], found: dict[str, str | None]
) -> None:
    assert set(CategoryNames(dict(enumerate(names))).rules_off) == off
    assert {label: find(names, label) for label in found} == found


def test_every_class_of_boggle_is_found_by_its_own_name() -> None:
    names = ["Q", "q", "o", "o ", "O", "  ", " ", "1", "2", "6", "a", "A", "--"]
    assert [find(names, name) for name in names] == names


def test_the_policy_says_what_was_not_applied() -> None:
    policy = CategoryNames({1: "Q", 2: "q"}, {"queue": "q"}).policy
    assert "these rules: strip, separators, singular" in policy
    assert "not applied in this set: casefold (would merge 'Q' and 'q')" in policy
    assert "1 synonyms" in policy


def test_synonyms_come_after_the_rules() -> None:
    names = CategoryNames(
        {1: "person", 2: "car"}, {"human": "person", "Cars": "person", "sports_car": "car"}
    )
    assert [names.find(label) for label in ("Human", "cars", "sports car", "humans")] == [
        1,
        2,
        2,
        None,
    ]


def test_synonyms_for_no_category_are_refused() -> None:
    with pytest.raises(InputError, match="category names .'person'., got 'people'"):
        CategoryNames({1: "person"}, {"human": "people"})


def test_equal_category_names_are_refused() -> None:
    with pytest.raises(InputError, match="'a' for both 1 and 2"):
        CategoryNames({1: "a", 2: "a"})


def test_synonyms_are_read_from_yaml(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("human: person\n'on': lamp\n")
    assert read_synonyms(tmp_path / "s.yaml") == {"human": "person", "on": "lamp"}


@pytest.mark.parametrize(
    "text", ["- a\n- b", "on: lamp", "1: one", "a: [b]", "a: {", "\ufffe"], ids=repr
)
def test_other_yaml_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(InputError, match=r"s\.yaml") as caught:
        read_synonyms(tmp_path / "s.yaml")
    assert "\n" not in str(caught.value)
