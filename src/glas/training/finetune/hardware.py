"""Measure what a training used: the memory of the process, and the GPU with its memory."""

import resource
import sys
from typing import Any

import torch


def peak_memory_mb() -> int:
    """Return the largest resident memory of this process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1024 * 1024 if sys.platform == "darwin" else 1024)


def gpu_used(device: torch.device) -> dict[str, Any]:
    """Return a dictionary with the name of the GPU and the largest memory that tensors used on it so far, in MiB.

    Its keys are `gpu` and `peak_gpu_memory_mb`, as in `glas.training.finetune.steps.FinetuneResult`. If the device is a
    processor, the dictionary is empty.
    """
    if device.type != "cuda":
        return {}
    peak_mb = torch.cuda.max_memory_allocated(device) // 2**20
    return {"gpu": torch.cuda.get_device_name(device), "peak_gpu_memory_mb": peak_mb}
