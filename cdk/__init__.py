"""The infrastructure: one CDK app whose template is the same for AWS and for LocalStack."""
