"""Certificates, proxies and TLS settings: final, though they come in a network error's clothes."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
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
        "certificate-expired",
        When(
            message=any_of(r"""
                certificate has expired
            """),
        ),
        "The certificate of {address|the server} has expired (or this host's clock is far ahead).",
        "Have the certificate renewed by who runs {address|the server}, or set this host's clock; a CA that is installed here does not help.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "certificate-for-another-name",
        When(
            message=any_of(r"""
                certificate is not valid for|hostname mismatch, certificate|doesn't match either of
                hostname ['\"][^'\"]{1,200}['\"] doesn't match
            """),
        ),
        "The server's certificate is for other host names than the one that was asked for.",
        "Ask for {address|the server} by a name that stands in its certificate, or have that name added to it; a CA that is "
        "installed here does not help.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "certificate-refused",
        When(
            message=any_of(r"""
                # OpenSSL, as Python's ssl passes it on
                certificate_verify_failed|certificate verify failed|self[- ]signed certificate
                unable to get (?:local )?issuer certificate|tlsv1_alert_unknown_ca|alert unknown ca
                # Go programs
                x509: certificate|certificate signed by unknown authority
                # rustls
                invalid peer certificate|unknownissuer
            """)
        ),
        "The certificate of {address|the server} is not trusted here: the CA that signed it (a company's, a proxy's, or its "
        "own) is not known. Another try meets the same certificate.",
        "Install the CA of {address|the server} or of the proxy that opens TLS, and name it in REQUESTS_CA_BUNDLE and "
        "SSL_CERT_FILE (AWS_CA_BUNDLE for boto3).",
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
        "tls-asked-of-a-plain-port",
        When(
            message=any_of(r"""
                wrong_version_number
            """),
        ),
        "TLS is asked of a port that speaks none: https for http, of a server or of a proxy.",
        "Correct scheme and port of {address|the server} (http://, secure=False), or write the address of the proxy with http:// in HTTPS_PROXY.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "tls-settings",
        When(
            message=any_of(r"""
                unsupported_protocol|dh_key_too_small|unsafe_legacy_renegotiation|alert_protocol_version
                no_ciphers_available|ee_key_too_small|ca_md_too_weak|alert_certificate_required
            """)
        ),
        "The two sides do not agree on TLS: on its version, its ciphers, the strength of keys, or a certificate of the client.",
        "Have TLS 1.2 or newer switched on at {address|the server}, give the client the certificate that it asks for, or loosen "
        "OpenSSL's settings (openssl.cnf, SECLEVEL) on purpose.",
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
        "proxy-wants-credentials",
        When(
            message=any_of(r"""
                proxy authentication required|tunnel connection failed: 407|\b407 proxy|received http code 407 from proxy
            """),
        ),
        "The proxy asks for credentials, and the process gives none or wrong ones.",
        "Put user and password into HTTPS_PROXY (http://user:password@proxy:port, escaped), or take the host out of the proxy with NO_PROXY.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    fatal(
        "proxy-refuses",
        When(message=r"tunnel connection failed: 40[013]|received http code 403 from proxy"),
        "The proxy does not let this host connect to the destination.",
        "Allow {address|the destination} on the proxy, or add it to NO_PROXY if it lies in this network.",
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
