"""How good a model is: metrics, protocols, intervals."""
