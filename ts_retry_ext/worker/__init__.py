"""What runs inside a worker process: start-up, load guard, recorder and holder."""
