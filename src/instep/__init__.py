"""A self-hosted IAM and STS that really checks MFA codes and puts wandered devices back in step."""

__version__ = "0.1.0"
