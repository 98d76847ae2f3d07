"""The AWS Query protocol over HTTP."""
