"""The Lambda functions of the table, with what starts them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.functions import FUNCTIONS, PREFIX, Function, Package, max_concurrency, memory_mb
from cdk.images import DOCKERFILE, build_context
from cdk.nag import acknowledge
from cdk.permissions import Resources, environment, execution_role
from cdk.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = lambda_.Runtime.PYTHON_3_11
"""The Python of the images (Debian 12) and of the tests: all functions run the same one."""


def log_group(scope: Construct, construct_id: str, name: str, settings: Settings) -> logs.LogGroup:
    """The log of the function `millrace-{name}`, named by Lambda's own rule."""
    return logs.LogGroup(
        scope,
        construct_id,
        log_group_name=f"/aws/lambda/{PREFIX}-{name}",
        retention=logs.RetentionDays[settings.log_retention],
        removal_policy=RemovalPolicy.DESTROY,
    )


BYTECODE = ["__pycache__", "*.pyc", "*.pyc.*"]
"""Made and renamed by whoever imports the sources, also while they are looked at."""


class Pipeline(Construct):
    """Every function of the table with its role, log, and queue or schedule; and the layer."""

    def __init__(self, scope: Construct, construct_id: str, resources: Resources) -> None:
        super().__init__(scope, construct_id)
        self._resources = resources
        self._settings = resources.settings
        self._architecture = lambda_.Architecture.custom(self._settings.architecture)
        self.layer = lambda_.LayerVersion(
            self,
            "CoreLayer",
            layer_version_name=f"{PREFIX}-core",
            description="The millrace package and what it imports",
            code=lambda_.Code.from_asset(str(ROOT / self._settings.layer), exclude=BYTECODE),
            compatible_runtimes=[RUNTIME],
        )
        self.functions = {spec.name: self._function(spec) for spec in FUNCTIONS}

    def _function(self, spec: Function) -> lambda_.Function:
        scope = Construct(self, spec.name.title())
        log = log_group(scope, "Log", spec.name, self._settings)
        role = execution_role(scope, "Role", spec, self._resources, log)
        make = self._zip_function if spec.package is Package.ZIP else self._image_function
        function = make(scope, spec, role, log)
        for name, value in environment(spec, self._resources).items():
            function.add_environment(name, value)
        if self._settings.xray:
            element = function.node.default_child
            assert isinstance(element, lambda_.CfnFunction)
            # The construct's own switch would add a policy of its own to the role.
            element.add_property_override("TracingConfig.Mode", "Active")
        self._connect(scope, spec, function)
        return function

    def _zip_function(
        self, scope: Construct, spec: Function, role: iam.IRole, log: logs.ILogGroup
    ) -> lambda_.Function:
        function = lambda_.Function(
            scope,
            "Function",
            runtime=RUNTIME,
            handler="handler.handler",
            code=lambda_.Code.from_asset(str(ROOT / "functions" / spec.name), exclude=BYTECODE),
            layers=[self.layer],
            function_name=f"{PREFIX}-{spec.name}",
            description=spec.purpose,
            timeout=Duration.seconds(spec.timeout_s),
            memory_size=memory_mb(spec, self._settings),
            architecture=self._architecture,
            role=role,
            log_group=log,
        )
        acknowledge(function, "L1", "The same Python as in the images and in the tests.")
        return function

    def _image_function(
        self, scope: Construct, spec: Function, role: iam.IRole, log: logs.ILogGroup
    ) -> lambda_.Function:
        with self._image(scope, spec) as code:
            return lambda_.DockerImageFunction(
                scope,
                "Function",
                code=code,
                function_name=f"{PREFIX}-{spec.name}",
                description=spec.purpose,
                timeout=Duration.seconds(spec.timeout_s),
                memory_size=memory_mb(spec, self._settings),
                architecture=self._architecture,
                role=role,
                log_group=log,
            )

    @contextmanager
    def _image(self, scope: Construct, spec: Function) -> Iterator[lambda_.DockerImageCode]:
        """The image's code; its build context is copied when the function is made."""
        if self._settings.image_repository:
            name = f"{self._settings.image_repository}-{spec.name}"
            repository = ecr.Repository.from_repository_name(scope, "Images", name)
            tag = self._settings.image_tag
            yield lambda_.DockerImageCode.from_ecr(repository, tag_or_digest=tag)
            return
        arm = self._settings.architecture == "arm64"
        with build_context(spec.name) as folder:
            yield lambda_.DockerImageCode.from_image_asset(
                str(folder),
                file=DOCKERFILE,
                build_args={"FUNCTION": spec.name},
                platform=(
                    ecr_assets.Platform.LINUX_ARM64 if arm else ecr_assets.Platform.LINUX_AMD64
                ),
            )

    def _connect(self, scope: Construct, spec: Function, function: lambda_.Function) -> None:
        if spec.queue:
            lambda_.EventSourceMapping(
                scope,
                "Mapping",
                target=function,
                event_source_arn=self._resources.queues.pairs[spec.name].queue.queue_arn,
                batch_size=spec.queue.batch_size,
                max_concurrency=max_concurrency(spec, self._settings),
                report_batch_item_failures=True,
            )
        if spec.schedule_minutes:
            # The next minute's call does what a failed one left, so AWS need not try again.
            events.Rule(
                scope,
                "Schedule",
                schedule=events.Schedule.rate(Duration.minutes(spec.schedule_minutes)),
                targets=[targets.LambdaFunction(function, retry_attempts=0)],
            )
            function.configure_async_invoke(retry_attempts=0)
