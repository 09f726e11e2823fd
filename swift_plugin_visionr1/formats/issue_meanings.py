"""What issue codes mean, in words."""

# The formats' own documentation says exactly when each code comes up. Codes in neither table
# belong to the template.
TEMPLATE = {
    "not_json": "the answer is not JSON",
    "not_a_list": "the JSON is not a list",
    "not_an_object": "an entry of the list is not an object",
    "repeated_key": "an object has a key twice",
    "other_key": "a box stands under another key than the format's",
    "foreign_key": "a box stands under the key of another family, which may have y first, and is "
    "not read",
    "text_around": "there is text around the answer where the bare answer is asked for",
    "no_tags": "the tags that the format writes are missing",
    "broken_tags": "a tag is cut off, not closed or not opened",
    "bad_layout": "brackets or separators are not as the format writes them",
    "bad_box": "something stands where a box should be that is not four usable numbers",
    "no_box": "the answer has no box and is not the format's empty answer, or a label has no box",
    "empty_answer": "the answer says that there is nothing to find, but not in the format's way",
    "point": "a place is a point, not a box",
    "quad": "a place is four corners, not a box",
    "polygon": "a place is a polygon, not a box",
    "box_3d": "a place is a box in three dimensions, not in the image",
    "keypoints": "a place is a set of key points, not a box",
    "mask": "a segmentation mask follows a box",
    "special_tokens": "boxes or labels in the JSON are written as special tokens",
    "label_as_key": "a box stands under a key that says what it shows",
    "label_in_list": "a label and its box stand in a list, not in an object",
    "label_after_box": "a label follows its box instead of coming before it",
    "box_in_prose": "the box is the only four numbers of a sentence; training does not read it",
    "ambiguous_boxes": "a sentence has several boxes where one is asked for; none is read",
    "tool_call": "the answer calls a tool; its arguments are not read as boxes",
    "no_reasoning": "the reasoning, or the tags about the answer, that the model is to write are "
    "missing",
    "unclosed_reasoning": "the reasoning does not end; boxes in it are drafts and not read",
    "no_point": "the answer has no point, and does not say that there is nothing",
    "box_for_point": "a place is a box where a point is asked for; its centre is taken",
    "other_point_key": "a point stands under another key than point_2d",
    "no_number": "the answer has no whole number from 0 on",
    "several_numbers": "the answer has different numbers, of which the last counts",
    "too_long": "the text is longer than the part that is read",
}
CONTENT = {
    "not_integer": "a coordinate is not written as an integer",
    "wrong_decimals": "a coordinate is not written with the format's decimals",
    "corner_order": "a box has x1 >= x2 or y1 >= y2 and is not read",
    "out_of_image": "a coordinate lies beyond what the frame allows",
    "no_label": "a box has no label, or none under the format's own key",
    "too_many_boxes": "there are more boxes than are read from one answer",
}


def meaning(code: str) -> str:
    """One line on an issue code; for an unknown code, its own words."""
    return TEMPLATE.get(code) or CONTENT.get(code) or code.replace("_", " ")
