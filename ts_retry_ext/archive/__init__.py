"""What a model's files say: manifest, configuration, limits in force, formats, window, schedule."""
