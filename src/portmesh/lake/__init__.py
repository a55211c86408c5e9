"""The lake of the local target: files that source systems land, in batches that are visible whole."""
