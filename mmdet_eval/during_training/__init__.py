"""The callback `vision_r1_eval`: mAP on held-out rows while a model trains."""
