"""The callback `vision_r1_eval`: measures mAP on held-out rows while a model trains."""
