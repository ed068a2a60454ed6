"""Map a year's whole scene with ONNX Runtime: probability and mask."""
