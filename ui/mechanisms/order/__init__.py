"""Parts of the Order page: pure functions from a reading to films and pictures, and the scripts to take away."""
