"""Tests of the rigs: they behave as AWS does, and refuse what AWS refuses."""
