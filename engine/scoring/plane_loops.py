"""The loops of :mod:`engine.scoring.plane_kernel`: points and their true planes, and planes of their own."""

from __future__ import annotations

import numpy as np

from engine.geometry.compiled import adding


@adding
def add_up(predicted, ray, slope, offset, planes, scale, shift, bounds, limit, depth, residual, found):
    """Fill aligned depth and distance to the true plane, [A, P] each, and ``found``, [K, A, 11], with sums over planes:
    the distance, how many are below the limit, x, y, z, xx, xy, xz, yy, yz, zz."""
    none = np.float32(0)
    for plane in range(len(planes)):
        first, last = planes[plane, 0], planes[plane, 1]
        group = min(planes[plane, 2], scale.shape[1] - 1)
        x, y, p, lean, away = (
            ray[0, first:last],
            ray[1, first:last],
            predicted[first:last],
            slope[first:last],
            offset[first:last],
        )
        for a in range(len(scale)):
            factor, constant = scale[a, group], shift[a, group]
            near, into = depth[a, first:last], residual[a, first:last]
            far, inside = 0.0, 0.0
            sx = sy = sz = sxx = sxy = sxz = syy = syz = szz = 0.0
            for i in range(len(p)):
                aligned = min(max(factor * p[i] + constant, bounds[0]), bounds[1])
                aligned = aligned if p[i] > none else bounds[0]
                near[i] = aligned
                z = np.float64(aligned)
                distance = abs(z * lean[i] - away[i])
                into[i] = distance
                far += distance
                inside += 1.0 if distance < limit else 0.0
                u, v = z * x[i], z * y[i]
                sx += u
                sy += v
                sz += z
                sxx += u * u
                sxy += u * v
                sxz += u * z
                syy += v * v
                syz += v * z
                szz += z * z
            sums = found[plane, a]
            sums[0], sums[1], sums[2], sums[3], sums[4] = far, inside, sx, sy, sz
            sums[5], sums[6], sums[7], sums[8], sums[9], sums[10] = sxx, sxy, sxz, syy, syz, szz


@adding
def add_distances(depth, ray, planes, normal, offset, found):
    """Fill ``found``, [K, A], with sums of distances to planes of normals [K, A, 3] and offsets [K, A]."""
    for plane in range(len(planes)):
        first, last = planes[plane, 0], planes[plane, 1]
        x, y = ray[0, first:last], ray[1, first:last]
        for a in range(len(depth)):
            z = depth[a, first:last]
            n, away = normal[plane, a], offset[plane, a]
            total = 0.0
            for i in range(len(z)):
                total += abs((n[0] * x[i] + n[1] * y[i] + n[2]) * np.float64(z[i]) - away)
            found[plane, a] = total
