"""Load a model as TorchServe's worker would, without TorchServe's frontend, and find out what became of it."""
