"""Where things are kept: the two buckets and the table."""

from __future__ import annotations

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.delivery import Delivery
from cdk.functions import PREFIX
from cdk.nag import acknowledge
from cdk.settings import Settings
from cdk.storage_names import INDEXES, UPLOAD_PREFIX

ABANDONED_UPLOAD_DAYS = 7
KEEP = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
"""Data outlives the stack, but a first deployment that fails leaves nothing in the way."""


class Storage(Construct):
    """Uploads, site and media, and the table with everything known of them."""

    def __init__(self, scope: Construct, construct_id: str, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self._suffix = settings.suffix or f"{Aws.ACCOUNT_ID}-{Aws.REGION}"
        self._settings = settings
        self.site = self._site_bucket()
        self.delivery = Delivery(self, "Delivery", self.site, settings) if settings.cdn else None
        bucket_url = f"https://{self.site.bucket_regional_domain_name}"
        site_url = self.delivery.url if self.delivery else bucket_url
        self.site_url = settings.site_url or site_url
        self.uploads_name = f"{PREFIX}-uploads-{self._suffix}"
        self.uploads = self._uploads_bucket(list(settings.allowed_origins) or [self.site_url])
        self.table = self._table()

    def _uploads_bucket(self, origins: list[str]) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Uploads",
            bucket_name=self.uploads_name,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            removal_policy=KEEP,
            cors=[
                s3.CorsRule(
                    allowed_methods=[s3.HttpMethods.GET, s3.HttpMethods.PUT, s3.HttpMethods.POST],
                    allowed_origins=origins,
                    allowed_headers=["*"],
                    exposed_headers=["ETag"],  # the browser names each part by it at the end
                    max_age=3600,
                )
            ],
            lifecycle_rules=self._lifecycle(),
        )
        _no_access_logs(bucket)
        return bucket

    def _lifecycle(self) -> list[s3.LifecycleRule]:
        rules = [
            s3.LifecycleRule(
                id="abort-abandoned-uploads",
                abort_incomplete_multipart_upload_after=Duration.days(ABANDONED_UPLOAD_DAYS),
            )
        ]
        if days := self._settings.upload_retention_days:
            rules.append(
                s3.LifecycleRule(
                    id="delete-old-sources", prefix=UPLOAD_PREFIX, expiration=Duration.days(days)
                )
            )
        return rules

    def _site_bucket(self) -> s3.Bucket:
        """Private behind CloudFront. Without that, served over HTTPS from the bucket's own address:
        the website endpoint has no TLS, and people type a token into these pages."""
        public = not self._settings.cdn
        bucket = s3.Bucket(
            self,
            "Site",
            bucket_name=f"{PREFIX}-site-{self._suffix}",
            block_public_access=s3.BlockPublicAccess(
                block_public_acls=True,
                ignore_public_acls=True,
                block_public_policy=not public,
                restrict_public_buckets=not public,
            ),
            public_read_access=public,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            removal_policy=KEEP,
            cors=[
                s3.CorsRule(
                    allowed_methods=[s3.HttpMethods.GET, s3.HttpMethods.HEAD],
                    allowed_origins=["*"],
                    allowed_headers=["Range"],
                    exposed_headers=["Content-Length", "Content-Range", "ETag"],
                    max_age=86400,
                )
            ],
        )
        _no_access_logs(bucket)
        if public:
            what = "The pages and the published videos are public; uploads are elsewhere."
            acknowledge(bucket, "S2", what)
        return bucket

    def _table(self) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            "Table",
            table_name=PREFIX,
            partition_key=_string("pk"),
            sort_key=_string("sk"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="ttl",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=KEEP,
        )
        for name, (partition, sort, included) in INDEXES.items():
            table.add_global_secondary_index(
                index_name=name,
                partition_key=_string(partition),
                sort_key=_string(sort),
                projection_type=(
                    dynamodb.ProjectionType.INCLUDE if included else dynamodb.ProjectionType.ALL
                ),
                non_key_attributes=list(included) or None,
            )
        return table


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _no_access_logs(bucket: s3.Bucket) -> None:
    acknowledge(
        bucket,
        "S1",
        "Every write is in the table's transaction log; a log bucket would double the requests of "
        "each segment played.",
    )
