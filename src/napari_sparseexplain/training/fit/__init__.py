"""Training: slices, losses, recipes, loops, checkpoints, distillation."""
