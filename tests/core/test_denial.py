"""Answers that name no box and say that there is nothing: what is one, and what is not."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swift_plugin_visionr1 import PRESETS, Scorer, get_format, model_io, read_solution
from swift_plugin_visionr1.formats import FORMATS
from swift_plugin_visionr1.formats.denial import LONGEST, denies
from swift_plugin_visionr1.geometry.boxes import as_boxes

from .real_completions import cases

DENIALS = [
    "None",
    "none.",
    "N/A",
    "No objects detected.",
    "No objects found",
    "No object detected!",
    "There are no cats in the image.",
    "There are no cats or dogs in the image.",
    "No objects from the list are present in the image",
    "I'm sorry, but there are no visible cats in the image.",
    "I'm sorry, but there are no cats visible in this image. The image shows a kitchen with a wooden table and two chairs.",
    "I am sorry, but I cannot detect any cats in the provided image.",
    "I don't see any cats in this image.",
    "I do not see any dogs in the picture.",
    "I can't find any cats in the image.",
    "I couldn't find any objects from the category list.",
    "I cannot see a cat here.",
    "I see no cats.",
    "There aren't any cats.",
    "There isn't a cat in this picture.",
    "There's no cat here.",
    "There is nothing to detect.",
    "Nothing to detect.",
    "Nothing detected",
    "nothing found.",
    "None of the listed categories are present in the image.",
    "None of the objects are visible.",
    "None found.",
    "None detected.",
    "No cats.",
    "No cat in the image",
    "No detections.",
    "No bounding boxes.",
    "No such object.",
    "No matching objects found.",
    "Neither cats nor dogs are visible in the image.",
    "The image does not contain any cats or dogs.",
    "The image doesn't contain any of the listed objects.",
    "This image does not show any people.",
    "The provided image contains no cats.",
    "The picture shows no cats.",
    "It does not contain any cats.",
    "Zero objects found.",
    "0 objects detected.",
    "There are 0 cats in the image.",
    "Object not found.",
    "Not found.",
    "Not present",
    "not visible in the image",
    "The requested objects are not present in the image.",
    "Cats are not visible in the image.",
    "The cat is not in the image.",
    "No cats could be found.",
    "Unfortunately, there are no cats in the image.",
    "Based on the image, there are no cats.",
    "In the image, there are no cats.",
    "In this image there are no dogs.",
    "It appears that there are no cats in the image.",
    "It seems there is no cat.",
    "After carefully examining the image, I can confirm that there are no cats.",
    "cat: none",
    "cat: none\ndog: none",
    "cats: not found",
    "Sure! There are no cats in the image.",
    "Answer: None",
    "The answer is none.",
    "I don't think there are any cats in the image.",
    "There does not appear to be any cat in the picture.",
    "There appear to be no cats in this image.",
    "I'm unable to find any cats in this image.",
    "Unable to detect any objects.",
    "**No objects detected.**",
    "No cats detected in the image. Please provide another image.",
    "There are no cats in the image. Would you like me to look for something else?",
    "There are no <ref>cats</ref> in the image.",
    "There are no cats in the image.\n\n```json\n[]\n```",
    "Here are the detections:\n```json\n[]\n```",
    "The result is: []",
    "{}",
    "[]",
    "[[]]",
    "```json\n{}\n```",
    "null",
    "[null]",
    '[{"bbox_2d": null, "label": "cat"}]',
    '[{"bbox_2d": [], "label": "cat"}]',
    '[{"bbox_2d": "none", "label": "cat"}]',
    "[{'bbox_2d': None, 'label': 'cat'}]",
    '{"cat": null, "dog": null}',
    '{"cat": [], "dog": []}',
    '{"objects": [], "message": "No cats found"}',
    '{"answer": "There are no cats in the image."}',
    '[{"label": "No cats found"}]',
    '"None"',
    "The list is empty.",
    "There are no instances of cats, dogs, or birds in this image.",
    "No instances of the requested categories were found in the image.",
    "No, there are no cats in the image.",
    'There is no "fire hydrant" in the image.',
    "Sorry, I can't see any cats.",
    "We could not detect any objects in this image.",
    "图中没有猫。",
    "图片中没有检测到任何物体。",
    "抱歉，图中没有猫。",
    "未检测到目标",
    "未发现任何物体。",
    "没有找到符合描述的目标。",
    "这张图片中不包含猫或狗。",
    "图像中不存在猫。",
    "无",
    "没有",
    "很抱歉，我没有在图中看到任何猫。",
    "圖片中沒有貓。",
    "画像には猫はいません。",
    "画像に猫は見つかりませんでした。",
    "申し訳ありませんが、画像に猫は見つかりませんでした。",
    "物体は検出されませんでした。",
    "該当するものはありません。",
    "この画像には犬は写っていません。",
    "なし",
    "이미지에 고양이가 없습니다.",
    "감지된 물체가 없습니다.",
    "이미지에서 고양이를 찾을 수 없습니다.",
    "죄송하지만 이미지에 고양이가 보이지 않습니다.",
    "객체가 감지되지 않았습니다.",
    "없음",
    "Auf dem Bild sind keine Katzen zu sehen.",
    "Es gibt keine Katzen im Bild.",
    "Keine Objekte gefunden.",
    "Ich kann keine Katzen im Bild sehen.",
    "Das Bild enthält keine Katzen.",
    "Es sind keine Hunde auf dem Bild.",
    "Es wurden keine Objekte erkannt.",
    "Katzen sind nicht vorhanden.",
    "Leider sind keine Katzen im Bild zu sehen.",
    "Im Bild sind keine Katzen sichtbar.",
    "Il n'y a pas de chats dans l'image.",
    "Il n'y a aucun chat dans cette image.",
    "Aucun objet détecté.",
    "Je ne vois pas de chat dans l'image.",
    "L'image ne contient aucun chat.",
    "Désolé, il n'y a pas de chat dans l’image.",
    "Dans l'image, il n'y a pas de chats.",
    "No hay gatos en la imagen.",
    "No se detectaron objetos.",
    "No se ha detectado ningún objeto.",
    "Ningún objeto detectado.",
    "No veo ningún gato en la imagen.",
    "Lo siento, no hay gatos en la imagen.",
    "En la imagen no hay gatos.",
    "La imagen no contiene gatos.",
    "На изображении нет кошек.",
    "Объекты не обнаружены.",
    "Кошек нет.",
    "К сожалению, на изображении нет кошек.",
    "На изображении не обнаружено ни одного объекта.",
    "Ничего не найдено.",
    "Я не вижу кошек на изображении.",
    "Não há gatos na imagem.",
    "Nenhum objeto detectado.",
    "Non ci sono gatti nell'immagine.",
    "Nessun oggetto rilevato.",
]
OTHERS = [
    "asdf",
    "I cannot help",
    "I cannot help with that.",
    "I'm sorry, but I can't assist with that.",
    "I'm unable to view images.",
    "I can't see the image.",
    "I don't see any image.",
    "There is no image attached.",
    "No image was provided.",
    "As an AI language model, I cannot detect objects in images.",
    "I'm sorry, I can't identify the person in this image.",
    "The image shows a kitchen",
    "The image shows a kitchen with no people other than the cook.",
    "It is not clear, there is a cat at the left",
    "It is not clear.",
    "There is no doubt that a cat is at the left.",
    "There are no dogs, but there is a cat at the left.",
    "There are no dogs but a cat is on the sofa.",
    "There are no dogs. There is a cat at the left.",
    "There are no dogs, there is a cat.",
    "No dogs, one cat.",
    "There are no cats except the one on the sofa.",
    "There are no cats other than the white one.",
    "There are no other cats in the image.",
    "No problem! Here is the cat.",
    "No problem.",
    "No, there is a cat.",
    "No way.",
    "Are there no cats?",
    "No cats?",
    "If there are no cats, output [].",
    "If nothing is found, output None.",
    "I don't think there are no cats.",
    "There are no",
    "There is no",
    "There are no cats in",
    "There are no cats in the",
    "There are no cats in the im",
    "There are no cats,",
    "I don't see",
    "I cannot see the cat clearly.",
    "The cat is not clearly visible.",
    "Not only cats but also dogs are visible.",
    "No more than two cats are visible.",
    "There is nothing but a cat.",
    "There is not enough information.",
    "A man is not wearing a hat.",
    "A cat sits on a sofa.",
    "cat",
    "The cat is at the left.",
    "cat: left",
    "There are two cats.",
    "I see a cat.",
    "a cat that is not sleeping",
    "not a cat",
    "A kitchen with no windows and a table.",
    "A street with no cars on it.",
    "No parking sign on a wall.",
    "no smoking sign",
    "No one is sitting on the bench.",
    "[cat]",
    '{"cat": 1}',
    "{cat: dog}",
    '[{"label": "cat"}]',
    '[{"bbox_2d": [1, 2, 3, 4], "label": "cat"}]',
    'There are no cats. [{"bbox_2d": [5, 5, 1, 1], "label": "cat"}]',
    "No cats at (10, 20).",
    '<point x="1" y="2">',
    "x x x []",
    "I see a cat [] there",
    "",
    ".",
    "...",
    "true",
    '{"found": true}',
    "yes",
    "0.5",
    "[0, 0, 0, 0]",
    "The cat does not",
    "没有问题，猫在左边。",
    "图中没有狗，但有一只猫。",
    "不清楚。",
    "图中有一只猫。",
    "我无法查看图片。",
    "没有猫吗？",
    "左边没有其他的猫",
    "猫がいます。",
    "申し訳ありませんが、お手伝いできません。",
    "わかりません。",
    "問題ありません。",
    "猫しかいません。",
    "고양이가 있습니다.",
    "문제 없습니다.",
    "도와드릴 수 없습니다.",
    "알 수 없습니다.",
    "Kein Problem, die Katze ist links.",
    "Es ist nicht klar, links ist eine Katze.",
    "Es gibt keine Hunde, aber eine Katze.",
    "Ich kann nicht helfen.",
    "Pas de problème.",
    "Je ne peux pas vous aider.",
    "Il n'y a pas de chien mais il y a un chat.",
    "Il n'y a qu'un chat.",
    "No hay problema.",
    "No hay duda de que hay un gato.",
    "No puedo ayudar.",
    "Hay un gato.",
    "Нет проблем.",
    "Не ясно, слева есть кошка.",
    "Я не могу помочь.",
    "На изображении есть кошка.",
]


@pytest.mark.parametrize("text", DENIALS)
def test_denials(text: str) -> None:
    assert denies(text)


@pytest.mark.parametrize("text", OTHERS)
def test_other_texts_deny_nothing(text: str) -> None:
    assert not denies(text)


WORDS = ["There are no cats in the image.", "I'm sorry, but there are no visible cats.", "{}"]


@pytest.mark.parametrize("text", [*WORDS, '[{"bbox_2d": null, "label": "cat"}]', "图中没有猫。"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_denial_is_an_empty_answer_in_every_format(name: str, text: str) -> None:
    parsed = get_format(name).parse(text)
    assert (len(parsed.boxes), parsed.says_nothing) == (0, True)
    assert "empty_answer" in parsed.issues
    assert get_format(name).spans(text) == get_format(name).confidences(text) == []


@pytest.mark.parametrize(
    "text", ["", "asdf", "I cannot help", "The image shows a kitchen", "[cat]"]
)
@pytest.mark.parametrize(
    "name", [name for name in FORMATS if name not in ("paligemma", "florence2")]
)
def test_garbage_is_none_in_any_format(name: str, text: str) -> None:
    parsed = get_format(name).parse(text)
    assert (parsed.says_nothing, bool(parsed.issues)) == (False, True)


@pytest.mark.parametrize("name", FORMATS)
def test_no_answer_with_boxes_denies(name: str) -> None:
    written = get_format(name).write(as_boxes([[0.1, 0.2, 0.5, 0.7]]), ["cat"])
    for text in (written, f"There are no dogs. {written}", f"{written}\nThere are no dogs."):
        assert not denies(text)


def test_no_real_answer_denies(shared_data: Path) -> None:
    for case in cases(shared_data / "completions" / "real_completions.jsonl"):
        assert not denies(case.row["text"]), case.row["id"]


@pytest.mark.parametrize("preset", ["paper", "strict"])
@pytest.mark.parametrize("text", DENIALS[:12])
def test_a_denial_is_worth_more_than_a_made_up_box_where_there_is_nothing(
    preset: str, text: str
) -> None:
    scorer = Scorer(PRESETS[preset], model_io(PRESETS[preset]))
    boxes = {"width": 112, "height": 112, "boxes": [[0, 0, 20, 20]], "labels": ["cat"]}
    empty = read_solution(json.dumps(boxes | {"boxes": [], "labels": []}))
    denied = scorer.score(text, empty, "beginner")
    made_up = scorer.score('[{"bbox_2d": [1, 2, 30, 40], "label": "cat"}]', empty, "beginner")
    assert (denied.format, denied.recall, denied.precision) == (0, 1, 1)
    assert denied.total > made_up.total
    missed = scorer.score(text, read_solution(json.dumps(boxes)), "beginner")
    assert (missed.format, missed.recall, missed.precision) == (0, 0, 0)


PIECES = [
    "no ",
    "there are ",
    "not ",
    "il n'y a ",
    "没有",
    ", ",
    " but ",
    "[",
    "]",
    "{",
    " ",
    "a",
    ".",
]


@given(
    st.lists(st.sampled_from([*PIECES, "sorry ", "in the image", "1"]), max_size=40).map("".join)
)
def test_nothing_raises(text: str) -> None:
    assert denies(text) in (True, False)


@pytest.mark.parametrize("piece", [*PIECES, "there are no cats, ", "based on ", "sorry, ", "x: "])
def test_the_longest_text_takes_a_moment(piece: str) -> None:
    start = time.process_time()
    denies((piece * LONGEST)[:LONGEST])
    denies(piece * 1_000_000)
    assert time.process_time() - start < 2, "20 ms are usual"


def test_a_box_of_zeros_under_its_key_is_none() -> None:
    parsed = get_format("qwen3_vl").parse('[{"bbox_2d": [0, 0, 0, 0], "label": "none"}]')
    assert (parsed.says_nothing, parsed.issues) == (True, ("empty_answer",))
