"""A row of each published form, and of ours, about one image."""

import json
from io import BytesIO

from PIL import Image

SIZE = (100, 60)
BOX = [10, 20, 30, 40]
RFT = (
    "Detect all objects belonging to the category 'cat' in the image, and provide the bounding "
    "boxes (between 0 and "
    "1000, integer) and confidence (between 0 and 1, with two decimal places)."
)


def png() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", SIZE).save(buffer, "PNG")
    return buffer.getvalue()


def authors() -> dict:
    solution = json.dumps([["cat", [BOX]]])
    return {
        "image": "1.png",
        "problem": "Locate every cat",
        "solution": solution,
        "width": 100,
        "height": 60,
        "num_instances": 1,
        "target_id_maps": "{}",
    }


def grounding() -> dict:
    messages = [
        {"role": "user", "content": "<image>Find <ref-object>"},
        {"role": "assistant", "content": "<bbox>"},
    ]
    return {"messages": messages, "images": ["1.png"], "objects": {"ref": ["cat"], "bbox": [BOX]}}


def rec() -> dict:
    return {
        "image": "1.png",
        "problem": "... describes: cat",
        "normal_caption": "cat",
        "solution": BOX,
        "bbox_list": [BOX],
        "width": 100,
        "height": 60,
    }


def rec_turns() -> dict:
    asked = (
        "<image>Please provide the bounding box coordinate of the region this sentence "
        "describes: cat."
    )
    turns = [{"from": "human", "value": asked}, {"from": "gpt", "value": BOX}]
    return {"id": 1, "image": "1.png", "conversations": turns}


def ovd() -> dict:
    asked = (
        "detect the following objects: ['cat', 'dog']. Output the bbox coordinates in "
        "<answer></answer>."
    )
    answer = '```json\n[{"bbox_2d": [10, 20, 30, 40], "label": "cat"}]\n```'
    turns = [{"from": "human", "value": asked}, {"from": "gpt", "value": answer}]
    return {"id": 1, "image": "1.png", "conversations": turns}


def rft() -> dict:
    solution = (
        "<answer>[{'Position': [100, 333.3333333, 300, 666.6666667], 'Confidence': 1}]</answer>"
    )
    return {"image": "1.png", "problem": RFT, "solution": solution}


def ours() -> dict:
    solution = json.dumps({"width": 100, "height": 60, "boxes": [BOX], "labels": ["cat"]})
    return {
        "messages": [{"role": "user", "content": "<image>Find cats"}],
        "images": ["1.png"],
        "solution": solution,
    }
