"""Millrace's domain: what a video, a task and a plan are, and how each of them may change.

Shipped as a Lambda layer and into the container images. It never imports the API, the functions,
the infrastructure or the one-machine cloud.
"""

__version__ = "0.1.0"
