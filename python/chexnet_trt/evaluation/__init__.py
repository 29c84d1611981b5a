"""How good an engine's scores are: AUROC, its intervals, operating thresholds, the gate."""
