"""The library that stands in for the C library's calls, made for this run."""

import os
import pathlib
import shutil
import subprocess


def build_shim(folder):
    """Compiles it into a folder; returns its path."""
    source = sorted(pathlib.Path(__file__).parent.glob("shim/*.c"))
    shim = os.path.join(folder, "failpoints.so")
    # Swift's own toolchain has a compiler for C, where the machine has no other.
    compiler = os.environ.get("CC") or shutil.which("cc") or "clang"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-std=gnu17", "-o", shim,
         *map(str, source), "-ldl"], check=True)
    return shim
