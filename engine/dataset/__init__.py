"""Frames, calibration and ground truth: KITTI-360, RGB-D clips, and the synthetic street. NumPy and OpenCV only."""
