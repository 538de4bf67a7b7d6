"""One queue per function that has one, each with its dead-letter queue."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import ArnFormat, Aws, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.functions import (
    DEAD_LETTER_RETENTION_DAYS,
    FUNCTIONS,
    MAX_RECEIVE_COUNT,
    MESSAGE_RETENTION_DAYS,
    Function,
    queue_name,
)
from cdk.storage import Storage
from cdk.storage_names import UPLOAD_PREFIX


@dataclass(frozen=True, slots=True)
class QueuePair:
    queue: sqs.Queue
    dead_letters: sqs.Queue


class Queues(Construct):
    """`pairs[function name]` holds a function's queue and dead-letter queue."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.pairs = {spec.name: self._pair(spec) for spec in FUNCTIONS if spec.queue}

    def _pair(self, spec: Function) -> QueuePair:
        assert spec.queue is not None
        dead_letters = self._queue(
            f"{spec.name.title()}DeadLetters",
            queue_name(spec.name, dead_letter=True),
            fifo=spec.queue.fifo,
            retention=Duration.days(DEAD_LETTER_RETENTION_DAYS),
        )
        queue = self._queue(
            spec.name.title(),
            queue_name(spec.name),
            fifo=spec.queue.fifo,
            retention=Duration.days(MESSAGE_RETENTION_DAYS),
            visibility=Duration.seconds(spec.visibility_s),
            redrive=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=MAX_RECEIVE_COUNT),
        )
        return QueuePair(queue, dead_letters)

    def _queue(
        self,
        construct_id: str,
        name: str,
        *,
        fifo: bool,
        retention: Duration,
        visibility: Duration | None = None,
        redrive: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        # Two equal publish messages are two changes, so there is no content-based deduplication:
        # the sender names each message. Per-group limits keep one busy video from slowing others.
        scope = sqs.DeduplicationScope.MESSAGE_GROUP if fifo else None
        limit = sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID if fifo else None
        return sqs.Queue(
            self,
            construct_id,
            queue_name=name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=retention,
            visibility_timeout=visibility,
            dead_letter_queue=redrive,
            fifo=fifo or None,
            deduplication_scope=scope,
            fifo_throughput_limit=limit,
        )

    def receive_uploads(self, storage: Storage) -> None:
        """Send `ObjectCreated` events of the uploads bucket to the ingest queue.

        On the L1, because `add_event_notification` makes a custom resource, which LocalStack
        accepts and ignores. S3 checks that it may write to the queue when the bucket is made, so
        the queue's policy must be there first; the bucket's ARN is therefore built from its name.
        """
        queue = self.pairs["ingest"].queue
        arn = Stack.of(self).format_arn(
            service="s3",
            region="",
            account="",
            resource=storage.uploads_name,
            arn_format=ArnFormat.NO_RESOURCE_NAME,
        )
        queue.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sqs:SendMessage"],
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                resources=[queue.queue_arn],
                conditions={
                    "ArnEquals": {"aws:SourceArn": arn},
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                },
            )
        )
        bucket = storage.uploads.node.default_child
        assert isinstance(bucket, s3.CfnBucket)
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(
                    event="s3:ObjectCreated:*",
                    queue=queue.queue_arn,
                    filter=s3.CfnBucket.NotificationFilterProperty(
                        s3_key=s3.CfnBucket.S3KeyFilterProperty(
                            rules=[
                                s3.CfnBucket.FilterRuleProperty(name="prefix", value=UPLOAD_PREFIX)
                            ]
                        )
                    ),
                )
            ]
        )
        storage.uploads.node.add_dependency(queue.node.find_child("Policy"))
