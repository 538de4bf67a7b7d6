"""The SNS topic of events."""

from __future__ import annotations

from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.functions import TOPIC


def make_topic(scope: Construct) -> sns.Topic:
    """Encrypted with the key that AWS keeps for SNS, and closed to plain HTTP."""
    key = kms.Alias.from_alias_name(scope, "TopicKey", "alias/aws/sns")
    return sns.Topic(scope, "Events", topic_name=TOPIC, master_key=key, enforce_ssl=True)
