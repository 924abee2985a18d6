"""Gives memory back to the system after a model was loaded."""

import ctypes
import gc


def release_free_memory() -> None:
    """Return what the allocator keeps for later: reading and compiling a model needs 10 MB more than the model does.

    Only glibc has a call for it; elsewhere nothing happens.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
