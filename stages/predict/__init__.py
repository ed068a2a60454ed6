"""Map a year's whole scene with ONNX Runtime or OpenVINO: probability and mask."""
