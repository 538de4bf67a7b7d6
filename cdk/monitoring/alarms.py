"""The alarms: today one per dead-letter queue."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from cdk.functions import PREFIX
from cdk.queues import Queues


class Alarms(Construct):
    def __init__(self, scope: Construct, construct_id: str, queues: Queues) -> None:
        super().__init__(scope, construct_id)
        for name, pair in queues.pairs.items():
            cloudwatch.Alarm(
                self,
                f"{name.title()}DeadLetters",
                alarm_name=f"{PREFIX}-{name}-dead-letters",
                alarm_description=f"Messages that {name} gave up on wait for a person.",
                metric=pair.dead_letters.metric_approximate_number_of_messages_visible(
                    period=Duration.minutes(1), statistic="Maximum"
                ),
                threshold=1,
                evaluation_periods=1,
                comparison_operator=(
                    cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
                ),
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
