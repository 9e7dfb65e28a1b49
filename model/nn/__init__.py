"""A small neural-network engine in NumPy: layers, losses, optimizers, networks and their checkpoints."""
