"""An ms-swift plugin for test_two_processes: the processes of a DeepSpeed run on CPUs find each
other.

accelerate makes a group of CPU processes only where it is told `use_cpu`, and then leaves DeepSpeed
out (`PartialState.__init__` and `_prepare_backend`). With
`--accelerator_config '{"use_configured_state": true}'` it takes the group that is there.
"""

import os

from accelerate import PartialState

os.environ["ACCELERATE_USE_DEEPSPEED"] = "true"
PartialState(backend="gloo")
