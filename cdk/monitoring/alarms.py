"""The alarms. What each means and what to do is in docs/OPERATIONS.md; a test compares names."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.functions import PREFIX
from cdk.monitoring.series import lambda_series, series
from cdk.queues import Queues
from cdk.settings import Settings
from cdk.topic import make_alarm_topic

_AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
_OLDEST_MESSAGE_S = 3600
_SILENT_S = 120
_API_ERRORS = _SIGNAL_ERRORS = 5
_FEWEST_ENDS = 5
_FAILURE_RATE = 0.5
_MINUTE, _FIVE_MINUTES = Duration.minutes(1), Duration.minutes(5)
_END_VIDEOS = ("ingest", "probe", "transcode", "thumbnail", "monitor")
"""Functions in which a video may fail."""


class Alarms(Construct):
    """Every alarm of the deployment, silent as long as there is nothing to tell of."""

    def __init__(
        self, scope: Construct, construct_id: str, queues: Queues, settings: Settings
    ) -> None:
        super().__init__(scope, construct_id)
        self._topic: sns.ITopic | None = None
        if settings.alarm_email:
            self._topic = make_alarm_topic(self, settings.alarm_email)
        for name, pair in queues.pairs.items():
            # Not the messages in the dead-letter queue, which stay when their tasks are redriven.
            letters = series("DeadLetters", "Maximum", _FIVE_MINUTES, service="monitor", queue=name)
            what = f"Messages that {name} gave up on wait for a person."
            self._alarm(f"{name}-dead-letters", what, letters, 1)
            oldest = pair.queue.metric_approximate_age_of_oldest_message(
                period=_FIVE_MINUTES, statistic="Maximum"
            )
            what = f"A message of {name} has waited for an hour: too few workers, or none."
            self._alarm(f"{name}-waits", what, oldest, _OLDEST_MESSAGE_S)
        self._work()
        self._money(settings)

    def _work(self) -> None:
        silent = series("HeartbeatAge", "Maximum", _MINUTE, service="monitor")
        what = "A worker on a task is silent, and nobody replaced it."
        self._alarm("heartbeat", what, silent, _SILENT_S, periods=3)
        errors = series("ApiErrors", "Sum", _FIVE_MINUTES, service="api")
        self._alarm("api-errors", "The API answers with errors.", errors, _API_ERRORS)
        # Lambda's own count has those, too, that ended with their process.
        errors = lambda_series(f"{PREFIX}-signal", "Errors", "Sum", _FIVE_MINUTES)
        what = "Calls cannot be set up: signalling fails."
        self._alarm("signal-errors", what, errors, _SIGNAL_ERRORS)
        what = "Most videos fail."
        self._alarm("failures", what, _failure_rate(), _FAILURE_RATE)
        calls = lambda_series(f"{PREFIX}-monitor", "Invocations", "Sum", _FIVE_MINUTES)
        what = "The monitor does not run: nothing that dies is healed."
        missing = cloudwatch.TreatMissingData.BREACHING
        self._alarm("monitor-silent", what, calls, 1, comparison=_BELOW, missing=missing)

    def _money(self, settings: Settings) -> None:
        spent = series("Spent", "Sum", Duration.days(1), service="monitor")
        what = "A day's work cost more than the deployment's daily_budget_usd, by estimate."
        self._alarm("spend", what, spent, settings.daily_budget_usd)

    def _alarm(
        self,
        name: str,
        description: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        *,
        periods: int = 1,
        comparison: cloudwatch.ComparisonOperator = _AT_LEAST,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name.title().replace("-", ""),
            alarm_name=f"{PREFIX}-{name}",
            alarm_description=description,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=comparison,
            treat_missing_data=missing,
        )
        if self._topic is not None:
            told = actions.SnsAction(self._topic)
            alarm.add_alarm_action(told)
            alarm.add_ok_action(told)


def _failure_rate() -> cloudwatch.MathExpression:
    """Of the videos that ended in 15 minutes; 0 while those are few."""
    period = Duration.minutes(15)
    metrics: dict[str, cloudwatch.IMetric] = {
        name: series("VideosFailed", "Sum", period, service=name) for name in _END_VIDEOS
    }
    metrics["completed"] = series("VideosCompleted", "Sum", period, service="publish")
    failed = f"({' + '.join(f'FILL({name}, 0)' for name in _END_VIDEOS)})"
    ended = f"({failed} + FILL(completed, 0))"
    return cloudwatch.MathExpression(
        expression=f"IF({ended} >= {_FEWEST_ENDS}, {failed} / {ended}, 0)",
        using_metrics=metrics,
        period=period,
        label="part of videos that fail",
    )
