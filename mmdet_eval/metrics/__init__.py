"""The numbers: MMDetection and two other engines, and what AP does not say."""
