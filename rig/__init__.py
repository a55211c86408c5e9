"""The rigs: real engines in the place of EMR and Athena, over one Glue catalog and one lake, on this machine."""
