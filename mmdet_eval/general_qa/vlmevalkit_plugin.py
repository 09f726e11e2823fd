"""What `swift eval` needs to run VLMEvalKit alone; `--external_plugins` names this file.

- ms-swift 4.6 lists the data sets of all its backends first (eval_args.py), of OpenCompass too,
  whose package wants numpy 1: where it is not installed it has none.
- ms-vlmeval 0.0.19 imports `AutoModelForVision2Seq`, which transformers 5 calls
  `AutoModelForImageTextToText`, for its wrappers of models that `swift eval` does not use.
- VLMEvalKit sends multiple-choice answers to OpenAI's servers where it finds a key, and
  `swift eval` has no option against that; without a key it finds the chosen option by itself.
- `swift eval` waits for its server forever, also where that could not load the model. The server
  imports this file as well, and ends `swift eval` when it ends by itself.
"""

import atexit
import importlib.util
import multiprocessing
import os
import signal

import transformers
from evalscope.backend.opencompass import OpenCompassBackendManager  # type: ignore[import-untyped]

if importlib.util.find_spec("opencompass") is None:
    OpenCompassBackendManager.list_datasets = staticmethod(list)

if not hasattr(transformers, "AutoModelForVision2Seq"):
    transformers.AutoModelForVision2Seq = transformers.AutoModelForImageTextToText

os.environ.pop("OPENAI_API_KEY", None)

if multiprocessing.parent_process() is not None:
    atexit.register(
        os.kill, os.getppid(), signal.SIGTERM
    )  # not called where `swift eval` ends its server
