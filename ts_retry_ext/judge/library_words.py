"""What brings a shared library that is not there, by the family that it is of."""

from __future__ import annotations

import re

_CUDA = r"libcudart|libcublas|libcudnn|libcufft|libcurand|libcusparse|libcusolver|libnvrtc|libnccl|libnvjitlink|libcupti|libnvtoolsext|cu(?:blas|dart|dnn|fft|rand|sparse|solver)\w*64"
#: Beginning of a library's name -> what to do.
_FAMILIES = (
    (
        re.compile(r"libnvinfer|libnvonnxparser", re.IGNORECASE),
        ("It belongs to TensorRT, and the number behind .so is TensorRT's major version: install that one (libnvinfer.so.8: pip install 'tensorrt==8.*'), "
        "or a version of the package for the TensorRT that is there. torch and its nvidia-* wheels do not bring it."),
    ),
    (
        re.compile(r"libcuda\.so|libnvidia-ml", re.IGNORECASE),
        ("The NVIDIA driver of the node brings it, and no package of pip does: run nvidia-smi on the node and in the container, and start the container with --gpus "
        "(or nvidia.com/gpu in the pod's limits)."),
    ),
    (
        re.compile(_CUDA, re.IGNORECASE),
        ("It belongs to CUDA: install the build of the package for the CUDA that torch has (torch.version.cuda), or the nvidia-* wheel of the version behind .so "
        "(libcublas.so.12: nvidia-cublas-cu12), with its lib directory on LD_LIBRARY_PATH."),
    ),
    (
        re.compile(r"lib(?:opengl|gles|glx?\.so|glib-|gthread-|sm\.so|ice\.so|xext|xrender|egl|x11|xcb)", re.IGNORECASE),
        ("OpenCV or a drawing library needs it: install opencv-python-headless instead of opencv-python, or in the image apt-get install libgl1 libglib2.0-0 "
        "(libSM: libsm6, libXext: libxext6, libXrender: libxrender1, libEGL: libegl1)."),
    ),
    (
        re.compile(r"libtorchcodec|libav(?:codec|format|util|device|filter)|libsw(?:scale|resample)", re.IGNORECASE),
        ("It needs FFmpeg in a version that the package knows: apt-get install ffmpeg in the image, or a build of the package for the FFmpeg and torch that are there."),
    ),
    (
        re.compile(r"libtorch|libc10", re.IGNORECASE),
        ("It belongs to torch: install the build of the package for the installed torch (torch.__version__, torch.version.cuda), and import torch before it."),
    ),
    (
        re.compile(r"libsndfile|libportaudio|libsox|libespeak", re.IGNORECASE),
        ("Install it into the image: apt-get install libsndfile1 (libportaudio: libportaudio2, libsox: libsox-dev, libespeak: espeak-ng)."),
    ),
    (
        re.compile(r"libgomp|libomp|libiomp5|libmkl", re.IGNORECASE),
        ("Install it: apt-get install libgomp1 (libomp: libomp5; libiomp5 and libmkl: pip install mkl)."),
    ),
)  # fmt: skip


def what_brings_it(library: str) -> str:
    """Return what to do about a library that is not there, without its full stop; empty if its family is not known."""
    found = next((step for family, step in _FAMILIES if family.match(library)), "")
    return found.rstrip(".")
