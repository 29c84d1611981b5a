"""Training on TFRecords: the whitepaper's chexnet.py."""
