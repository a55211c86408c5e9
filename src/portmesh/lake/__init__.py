"""The lake: batches of data that source systems land, each visible in full or not at all."""
