"""Small ranking networks: the model, its input transform, its training and its file."""
