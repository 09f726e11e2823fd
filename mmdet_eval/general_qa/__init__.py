"""General question answering before and after training (the paper's Table 6), by `swift eval` and
VLMEvalKit."""
