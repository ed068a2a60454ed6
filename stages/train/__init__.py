"""Train the U-Net in Keras, calibrate it and export it to ONNX. The only place that imports TensorFlow."""
