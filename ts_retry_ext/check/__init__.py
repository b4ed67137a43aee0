"""Load a model as TorchServe's worker would, without TorchServe's frontend, and tell what became of it."""
