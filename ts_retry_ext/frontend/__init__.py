"""What is known of the TorchServe frontend: its process, configuration, archives and API."""
