"""CloudFront before the private site bucket: who may cache what for how long, and the headers that
S3 does not send."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.functions import PREFIX
from cdk.nag import acknowledge
from cdk.page_policy import page_policy
from cdk.settings import Settings
from cdk.storage_names import MEDIA_PREFIX

EMBED_PAGE = "embed.html"
"""Made to stand in a frame of any page; no other one may."""
_GROWING = Duration.seconds(1)
"""For how long a playlist is kept that says `no-cache`: of any number of viewers one a second asks
S3 through each of CloudFront's caches, and nobody is told of a new segment much later."""
_NOTHING = Duration.seconds(0)
_PAGE_ALONE = "camera=(self), microphone=(self), display-capture=(self), geolocation=(), usb=()"


class Delivery(Construct):
    """A distribution; `url` is its address, or that of the deployment's own domain."""

    def __init__(
        self, scope: Construct, construct_id: str, bucket: s3.Bucket, settings: Settings
    ) -> None:
        super().__init__(scope, construct_id)
        # Whoever may not list is told 403 for what is not there. No request can ask for a list: `/`
        # is a page, and no query reaches S3.
        levels = [cloudfront.AccessLevel.READ, cloudfront.AccessLevel.LIST]
        self._origin = origins.S3BucketOrigin.with_origin_access_control(
            bucket, origin_access_levels=levels, origin_access_control=self._access()
        )
        self.distribution = self._distribution(settings)
        host = settings.domain or self.distribution.distribution_domain_name
        self.url = f"https://{host}"

    def _access(self) -> cloudfront.S3OriginAccessControl:
        return cloudfront.S3OriginAccessControl(
            self, "Access", origin_access_control_name=_name("site")
        )

    def _distribution(self, settings: Settings) -> cloudfront.Distribution:
        page, embedded, media = self._headers()
        pages, files, playlists = self._caches()
        distribution = cloudfront.Distribution(
            self,
            "Site",
            comment="Millrace: pages and media",
            default_root_object="index.html",
            default_behavior=self._behavior(pages, page),
            additional_behaviors={
                EMBED_PAGE: self._behavior(pages, embedded),
                f"{MEDIA_PREFIX}*.m3u8": self._behavior(playlists, media),
                f"{MEDIA_PREFIX}*.mpd": self._behavior(playlists, media),
                f"{MEDIA_PREFIX}*": self._behavior(files, media),
            },
            # What is not there yet may be there in a moment.
            error_responses=[cloudfront.ErrorResponse(http_status=404, ttl=_GROWING)],
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            domain_names=[settings.domain] if settings.domain else None,
            certificate=self._certificate(settings),
            web_acl_id=settings.site_web_acl_arn or None,
        )
        _explain(distribution, settings)
        return distribution

    def _certificate(self, settings: Settings) -> acm.ICertificate | None:
        if not settings.certificate_arn:
            return None
        return acm.Certificate.from_certificate_arn(self, "Certificate", settings.certificate_arn)

    def _behavior(
        self, cache: cloudfront.CachePolicy, headers: cloudfront.ResponseHeadersPolicy
    ) -> cloudfront.BehaviorOptions:
        return cloudfront.BehaviorOptions(
            origin=self._origin,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD_OPTIONS,
            # S3 answers a preflight only when it hears what the browser asks for.
            origin_request_policy=cloudfront.OriginRequestPolicy.CORS_S3_ORIGIN,
            cache_policy=cache,
            response_headers_policy=headers,
            compress=True,
        )

    def _caches(self) -> Sequence[cloudfront.CachePolicy]:
        """Of pages, of media, and of playlists. How long is said by who stores an object; these are
        the bounds, and `default` is for an object that says nothing."""
        year, day, minute = Duration.days(365), Duration.days(1), Duration.minutes(1)
        return (
            self._cache("Pages", least=_NOTHING, default=_NOTHING, most=day),
            self._cache("Media", least=_NOTHING, default=day, most=year),
            self._cache("Playlists", least=_GROWING, default=_GROWING, most=minute),
        )

    def _cache(
        self, name: str, *, least: Duration, default: Duration, most: Duration
    ) -> cloudfront.CachePolicy:
        return cloudfront.CachePolicy(
            self,
            f"{name}Cache",
            cache_policy_name=_name(name.lower()),
            comment=f"Millrace: {name.lower()}",
            min_ttl=least,
            default_ttl=default,
            max_ttl=most,
            enable_accept_encoding_brotli=True,
            enable_accept_encoding_gzip=True,
        )

    def _headers(self) -> Sequence[cloudfront.ResponseHeadersPolicy]:
        """Of pages, of the page for frames, and of media."""
        policy = page_policy()
        return (
            self._header("Page", f"{policy}; frame-ancestors 'none'", framed=False),
            self._header("EmbeddedPage", policy, framed=True),
            self._header("Media", "default-src 'none'; frame-ancestors 'none'", framed=False),
        )

    def _header(self, name: str, policy: str, *, framed: bool) -> cloudfront.ResponseHeadersPolicy:
        deny = cloudfront.ResponseHeadersFrameOptions(
            frame_option=cloudfront.HeadersFrameOption.DENY, override=True
        )
        security = cloudfront.ResponseSecurityHeadersBehavior(
            content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                content_security_policy=policy, override=True
            ),
            content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
            frame_options=None if framed else deny,
            referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
            ),
            strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                access_control_max_age=Duration.days(365), override=True
            ),
        )
        permissions = cloudfront.ResponseCustomHeader(
            header="Permissions-Policy", value=_PAGE_ALONE, override=True
        )
        return cloudfront.ResponseHeadersPolicy(
            self,
            f"{name}Headers",
            response_headers_policy_name=_name(name.lower()),
            comment=f"Millrace: {name}",
            cors_behavior=_any_page_may_play(),
            custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[permissions]
            ),
            security_headers_behavior=security,
        )


def _name(what: str) -> str:
    """CloudFront belongs to no region: two deployments of one account must not meet at a name."""
    return f"{PREFIX}-{what}-{Aws.REGION}"


def _any_page_may_play() -> cloudfront.ResponseHeadersCorsBehavior:
    """As the bucket's own rule says. Here again, as an answer that was asked for without `Origin`
    is kept without it, and given to pages that need it."""
    return cloudfront.ResponseHeadersCorsBehavior(
        access_control_allow_credentials=False,
        access_control_allow_origins=["*"],
        access_control_allow_methods=["GET", "HEAD"],
        access_control_allow_headers=["Range"],
        access_control_expose_headers=["Content-Length", "Content-Range", "ETag"],
        access_control_max_age=Duration.days(1),
        origin_override=True,
    )


def _explain(distribution: cloudfront.Distribution, settings: Settings) -> None:
    acknowledge(distribution, "CFR1", "Where a site may be watched is for its owner to say.")
    acknowledge(
        distribution,
        "CFR3",
        "A line for each segment that anybody watched would cost more than it tells, and keep who "
        "watched what; CloudFront's own metrics have the sums.",
    )
    if not settings.site_web_acl_arn:
        acknowledge(
            distribution,
            "CFR2",
            "Static files, read only: nothing to inject into. What computes is the API, which the "
            "setting waf guards; site_web_acl_arn puts a web ACL here, too.",
        )
    if not settings.domain:
        acknowledge(
            distribution,
            "CFR4",
            "CloudFront's own name has CloudFront's certificate, and its choice of TLS; the "
            "setting domain brings TLS 1.2 as the least.",
        )
