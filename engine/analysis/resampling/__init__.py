"""Paired block bootstrap over windows: the numerical core of every interval, verdict and tie group.

Frames of a window are alike, and so are neighbouring windows of a drive; drives are few. So windows are resampled in
blocks of neighbours within their drive (:mod:`blocks`), every statistic is a :class:`level.Level` (a value, what each
window contributes to it, and what the resamples make of it), and its interval is a studentised one
(:mod:`studentised`). Conclusions are about the places that the drives cover, not about drives that nobody recorded:
one to nine of them tell little of others.
"""
