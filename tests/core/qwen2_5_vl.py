"""The Qwen2.5-VL format and two of its boxes."""

from hypothesis import strategies as st

from swift_plugin_visionr1 import get_format

FORMAT = get_format("qwen2_5_vl")

CAT = '{"bbox_2d": [1, 2, 30, 40], "label": "cat"}'

DOG = '{"bbox_2d": [5, 6, 70, 80], "label": "dog"}'

coordinate = st.integers(0, 1000)

# No tags of an answer or of a tool call, which Hypothesis finds in the code: nothing tells them
# from the real ones.
label = st.text(min_size=1, max_size=12).filter(
    lambda text: text.strip() and "<" not in text and "TOOL" not in text
)
