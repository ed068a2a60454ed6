"""The model outside its training: inference in windows, calibration, intervals, histograms, the spatial split.

TensorFlow is never imported here; ONNX Runtime only when a session opens.
"""
