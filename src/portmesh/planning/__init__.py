"""What has to be built and tested for a change, and why."""
