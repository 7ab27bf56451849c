"""Decode the bytes of a file to samples, and cut the samples into pieces of speech.

Importing this package loads no library: `decode` needs PyAV, and `segmentation` needs onnxruntime. `decoder` needs
neither of them, because PyAV runs in separate processes.
"""
