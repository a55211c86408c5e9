"""One module per subcommand: options in, a call, text out."""
