"""From predictions and ground truth to named numbers, batched in torch; compat beside v1."""
