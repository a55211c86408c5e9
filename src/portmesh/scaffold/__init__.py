"""Makes what a team would otherwise write by hand: domains, sources, ports, and the lists of them."""
