"""Formats that write JSON."""

from swift_plugin_visionr1 import get_format

GEMINI, QWEN3 = get_format("gemini"), get_format("qwen3_vl")
