"""What outlives a worker process: the state directory, markers and journals."""
