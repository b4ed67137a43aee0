"""What outlives a worker process: the state directory, exit markers and journals."""
