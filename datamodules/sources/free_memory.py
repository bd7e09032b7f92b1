"""Free memory of this machine, or of the container that the process is in."""

from contextlib import suppress
from pathlib import Path

CONTAINER = Path("/sys/fs/cgroup")  # where Linux tells the limits of a container


def free_memory() -> int:
    """Bytes that can be taken without swapping, or beyond which the process would be killed."""
    import psutil

    free = psutil.virtual_memory().available
    with suppress(OSError, ValueError):  # no container, or one without a limit: "max"
        limit = int((CONTAINER / "memory.max").read_text())
        used = int((CONTAINER / "memory.current").read_text())
        lines = (CONTAINER / "memory.stat").read_text().splitlines()
        # What the system keeps of files that were read; it is given up when memory is needed.
        files = dict(line.split() for line in lines)["inactive_file"]
        free = min(free, limit - used + int(files))
    return max(0, free)
