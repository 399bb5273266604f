"""Frames, calibration and ground truth: KITTI-360, plain RGB-D clips, and the synthetic street. NumPy and OpenCV only."""
