"""Entry point of the CDK command line: `python -m cdk.app`, from the repository's root."""

from __future__ import annotations

from aws_cdk import App

from cdk import nag
from cdk.settings import Settings
from cdk.stack import MillraceStack

STACK = "Millrace"


def main() -> None:
    app = App(analytics_reporting=False)
    settings = Settings.from_context(app.node.try_get_context)
    # No account or region: the template is the same for all of them.
    MillraceStack(app, STACK, settings, description="Millrace: video on demand")
    if settings.nag:
        nag.check(app)
    app.synth()


if __name__ == "__main__":
    main()
