"""TorchServe's log lines, read once: collectors' prefixes, records, tracebacks."""
