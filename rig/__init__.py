"""The rigs: real engines on this machine in place of EMR and Athena, with one Glue catalog and one lake."""
