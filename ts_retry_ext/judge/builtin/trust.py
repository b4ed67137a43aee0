"""Certificates, proxies and TLS settings: final, though they come in a network error's clothes."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

_SINCE = "2026-11-23"

FATAL_IN_DISGUISE = (
    curable(
        "certificate-not-yet-valid",
        When(
            message=r"certificate is not yet valid|requesttimetooskewed|clock skew|requests? date header too old|aadsts700024"
        ),
        "The clocks of this host and of the server disagree; a host that has just started sets its own.",
        "Set the host's clock (NTP) if it goes on.",
        since=_SINCE,
    ),
    fatal(
        "certificate-refused",
        When(
            message=any_of(r"""
                # OpenSSL, as Python's ssl passes it on
                certificate_verify_failed|certificate verify failed|self[- ]signed certificate|certificate has expired
                unable to get (?:local )?issuer certificate|tlsv1_alert_unknown_ca|alert unknown ca
                # Python's ssl and urllib3, the host's name
                certificate is not valid for|hostname mismatch, certificate|doesn't match either of
                hostname ['\"][^'\"]{1,200}['\"] doesn't match
                # Go programs
                x509: certificate|certificate signed by unknown authority
                # rustls
                invalid peer certificate|unknownissuer
            """)
        ),
        "The server's certificate is not trusted here; another try meets the same certificate.",
        "Install the right CA (REQUESTS_CA_BUNDLE, SSL_CERT_FILE), or have the certificate renewed.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "certificate-bundle-missing",
        When(
            message=r"could not find a suitable tls ca certificate bundle|invalid path: .{0,200}\.(?:pem|crt)"
        ),
        "The file with trusted certificates that is configured does not exist.",
        "Correct REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE, or install ca-certificates.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "tls-settings",
        When(
            message=any_of(r"""
                wrong_version_number|unsupported_protocol|dh_key_too_small|unsafe_legacy_renegotiation|alert_protocol_version
                no_ciphers_available|ee_key_too_small|ca_md_too_weak|alert_certificate_required
            """)
        ),
        "The two sides do not agree on TLS; often https is asked of a port that speaks http, of a server or of a proxy.",
        "Correct scheme and port of {address|the server} (http://, secure=False), the proxy's address, or the TLS settings.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "tls-refused-by-server",
        When(
            message=r"tlsv1_alert_internal_error|tlsv1 alert internal error|alert_access_denied|alert access denied"
        ),
        "The server broke the TLS handshake off: it does not admit this address, or is in trouble.",
        "Check the server's list of admitted addresses (Atlas: IP access list).",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "tls-not-built-in",
        When(
            message=r"because the ssl module is not available|ssl module in python is not available|unknown url type: https|no module named '?_ssl"
        ),
        "This Python was built without TLS.",
        "Install a Python with the ssl module (libssl headers when it is compiled).",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "certificate-file-unusable",
        When(
            message=r"key_values_mismatch|\[ssl\] pem lib|no_start_line|no start line|bad_decrypt|\[x509|bad password read|unable to load (?:client )?(?:certificate|key)"
        ),
        "A certificate or key file that is configured is not one, or the two do not belong together.",
        "Correct the files with the client's certificate and key.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "proxy-refuses",
        When(
            message=r"proxy authentication required|tunnel connection failed: 40[0137]|\b407 proxy"
            r"|received http code 40[37] from proxy"
        ),
        "The proxy asks for credentials or forbids the destination.",
        "Put credentials into HTTPS_PROXY, allow the host on the proxy, or set NO_PROXY.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "proxy-misconfigured",
        When(
            message=any_of(r"""
                missing dependencies for socks support|proxy url had no scheme|unable to determine socks version
                not supported proxy scheme|check_hostname requires server_hostname|unknown scheme for proxy
                failed to parse: .{0,40}proxy|invalid proxy url
            """)
        ),
        "The proxy's address cannot be used as it is written.",
        "Correct HTTP_PROXY, HTTPS_PROXY or ALL_PROXY; socks needs PySocks.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
