"""Sizes of images at which rules of resizing differ: tiny, long, round and odd."""

SIZES = [
    (640, 480),
    (333, 517),
    (1, 1),
    (13, 40),
    (27, 29),
    (1000, 30),
    (157, 4000),
    (1281, 719),
    (2047, 1365),
    (112, 112),
    (100, 124),
    (411, 97),
    (3000, 2001),
]
