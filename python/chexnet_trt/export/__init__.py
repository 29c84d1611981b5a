"""From trained weights to SavedModels and frozen graphs; reading of checkpoints by name."""
