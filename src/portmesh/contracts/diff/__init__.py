"""What a change does to the contracts of ports: differences, a verdict, and who is reached."""
