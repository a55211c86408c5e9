"""All AWS services behind one URL: moto for S3, Glue and STS, made stricter where needed, and Athena on Trino."""
