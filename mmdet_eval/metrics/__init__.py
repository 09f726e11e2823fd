"""Computes the numbers: MMDetection and two other engines, and metrics beyond AP."""
