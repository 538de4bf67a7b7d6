"""The one stack. Splitting it would make deployments slower and cross-stack references fragile;
what must outlive it (buckets, table) is retained by policy instead."""

from __future__ import annotations

from typing import Any

from aws_cdk import Aws, CfnOutput, Stack
from constructs import Construct

from cdk.api import STAGE, Api
from cdk.budget import make_budget
from cdk.firewall import Firewall
from cdk.monitoring.alarms import Alarms
from cdk.monitoring.dashboard import make_dashboard
from cdk.permissions import Resources
from cdk.pipeline import Pipeline
from cdk.queues import Queues
from cdk.settings import Settings
from cdk.sockets import SocketApi
from cdk.storage import Storage
from cdk.topic import make_topic


class MillraceStack(Stack):
    """Storage, queues, functions, API, alarms and dashboard; outputs say where they are."""

    def __init__(
        self, scope: Construct, construct_id: str, settings: Settings, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        storage = Storage(self, "Storage", settings)
        queues = Queues(self, "Queues")
        queues.receive_uploads(storage)
        topic = make_topic(self)
        sockets = SocketApi(self, "Sockets", settings)
        resources = Resources(storage, queues, topic, sockets, settings)
        pipeline = Pipeline(self, "Pipeline", resources)
        sockets.route_to(pipeline.functions["signal"])
        api = Api(self, "Api", resources, pipeline.layer)
        if settings.waf:
            Firewall(self, "Firewall", api.stage_arn, settings)
        Alarms(self, "Alarms", queues, settings)
        make_budget(self, settings)
        make_dashboard(self)
        url = f"https://{api.api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}/{STAGE}"
        self._publish(
            {
                "ApiId": api.api_id,
                "ApiStage": STAGE,
                "ApiUrl": url,
                "SignalUrl": sockets.url,
                "SiteUrl": storage.site_url,
                "UploadsBucket": storage.uploads.bucket_name,
                "SiteBucket": storage.site.bucket_name,
                "Table": storage.table.table_name,
                "EventsTopic": topic.topic_arn,
            }
            | {f"{name.title()}Queue": pair.queue.queue_url for name, pair in queues.pairs.items()}
        )
        if storage.delivery:
            distribution = storage.delivery.distribution
            self._publish(
                {
                    "DistributionId": distribution.distribution_id,
                    "DistributionDomain": distribution.distribution_domain_name,
                }
            )

    def _publish(self, outputs: dict[str, str]) -> None:
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
