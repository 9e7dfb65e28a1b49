"""Pixels and numbers: from the bytes of a photo to digits, and the network that reads them."""
