"""Decode the bytes of a file to samples, and cut the samples into pieces of speech.

The package itself imports no library. Its module `decode` imports PyAV, and its module `segmentation` needs
onnxruntime. The module `decoder` imports neither library, because it runs PyAV in child processes and does not detect
speech.
"""
