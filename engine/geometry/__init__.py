"""Cameras, alignment, sampling, normals, planes, warping and trajectories: batched, in torch, knowing no metric."""
