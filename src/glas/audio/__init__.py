"""Decode the bytes of a file to samples, and cut the samples into pieces of speech.

Importing this package loads nothing: `decode` needs PyAV, `segmentation` needs onnxruntime, and neither needs the
other. `decoder` needs neither: it keeps PyAV in processes of its own.
"""
