"""The contract: shapes, limits, operations and errors of the AWS IAM and STS service models."""
