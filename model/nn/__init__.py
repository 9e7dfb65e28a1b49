"""A neural network in plain NumPy: layers, losses, optimizers, architectures, checkpoints."""
