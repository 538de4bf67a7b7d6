"""The one-machine cloud: everything that lets the product run without AWS and without Docker.

Production code never imports this package; it meets it only through AWS's own seams, the
`AWS_ENDPOINT_URL*` variables and the Lambda Runtime API.
"""
