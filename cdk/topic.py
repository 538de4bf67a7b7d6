"""The SNS topics: of events, and of alarms."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk.functions import PREFIX, TOPIC


def make_topic(scope: Construct) -> sns.Topic:
    """Encrypted with the key that AWS keeps for SNS, and closed to plain HTTP."""
    key = kms.Alias.from_alias_name(scope, "TopicKey", "alias/aws/sns")
    return sns.Topic(scope, "Events", topic_name=TOPIC, master_key=key, enforce_ssl=True)


def make_alarm_topic(scope: Construct, email: str) -> sns.Topic:
    """What alarms tell, and whom: AWS asks the address once whether it agrees.

    It is not encrypted: alarms cannot use the key that AWS keeps for SNS, and what they say, names
    and figures, goes on by e-mail.
    """
    topic = sns.Topic(scope, "Told", topic_name=f"{PREFIX}-alarms", enforce_ssl=True)
    topic.add_subscription(subscriptions.EmailSubscription(email))
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
    return topic
