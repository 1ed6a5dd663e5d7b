"""What was measured on, and with which versions."""

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path


def cpu():
    """Family and model, as names of virtual CPUs say little."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in reversed(lines))}
    if "model name" not in fields:
        return platform.processor() or platform.machine()
    return f"{fields['model name']}, family {fields.get('cpu family')} model {fields.get('model')}"


def version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def rustc():
    return subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]


def description():
    packages = {"PyTorch": "torch", "NumPy": "numpy", "fbgemm-gpu-cpu": "fbgemm-gpu-cpu"}
    versions = [f"{name} {version(package)}" for name, package in packages.items() if version(package)]
    python = ".".join(map(str, sys.version_info[:3]))
    crates = f"rustc {rustc()}, candle-optimisers {os.environ.get('PEERS_CANDLE_OPTIMISERS', '')}".rstrip()
    return f"{cpu()}, {os.cpu_count()} hardware threads; Python {python}, {', '.join(versions)}, {crates}"
