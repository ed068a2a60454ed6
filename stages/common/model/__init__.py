"""The model outside its training: mapping in bands of rows, calibration, intervals, histograms, the spatial split.

TensorFlow is never imported here; ONNX Runtime only when a session opens.
"""
