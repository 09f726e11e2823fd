"""The questions of the released code."""

DETECT = (
    "Locate every item from the category list in the image and output the coordinates in JSON format. "
    "The category set includes {}."
)
LOCATE = "Locate every {} in the image and output the coordinates in JSON format."
