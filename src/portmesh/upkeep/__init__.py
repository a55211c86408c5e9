"""What keeps the lake tidy: what broken runs left goes, and ports keep what they declare, in few and large files."""
