"""Where the network learns: data, augmentation, training, fine-tuning, evaluation."""
