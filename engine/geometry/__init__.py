"""Cameras, poses, alignment, normals, planes and warping, batched in torch."""
