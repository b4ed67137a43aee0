"""Read the logs of a TorchServe that never had this package: what failed, why, and what it cost."""
