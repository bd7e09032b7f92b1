"""Option `--device`, in a module that imports no torch: the help of a command comes at once."""

from typing import Literal

Device = Literal["auto", "cpu", "cuda", "mps"]
