"""All of AWS behind one URL: moto for S3, Glue and STS, corrected where it is too lenient, and Athena on Trino."""
