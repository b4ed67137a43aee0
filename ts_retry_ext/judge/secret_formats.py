"""Secrets that are known by their own shape: keys of vendors, keys in files, web hooks, URLs.

The beginnings of vendors' keys are published by the vendors, and collected by gitleaks, trufflehog and
detect-secrets (read as facts, 2026-11). The first characters stay: they say which kind of key it was.
"""

from __future__ import annotations

import re
from functools import lru_cache

MASK = "[redacted]"

#: Beginnings that are no word: 16 characters or more of letters, digits, `_` and `-` follow.
_DISTINCT = (
    r"sk_live_|sk_test_|rk_live_|rk_test_|pk_live_|whsec_|gsk_|lsv2_[ps]t_|nvapi-"
    r"|gh[pousr]_|github_pat_|gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt)-|GR1348941|ATBB|ATATT3|ATCTT3"
    r"|dckr_[op]at_|glsa_|sq0(?:atp|csp|idp)-|CLOJARS_|dp\.(?:pt|st|ct|sa|scim|audit)\."
    r"|lin_(?:api|oauth)_|figd_|PMAK-|shp(?:at|ss|ca|pa)_|sntr[ysu]{2}_|NRAK-|NRJS-|NRII-|dt0c01\."
    r"|do[por]_v1_|HRKU-|sbp_|sb_secret_|pscale_(?:tkn|pw|oauth)_|EZ[AT]K|FLWSECK_|fio-u-"
    r"|shippo_(?:live|test)_|AKCp|CCIP(?:AT|RJ)_|tskey-|pcsk_|KGAT_|hv[sbr]\.|AGE-SECRET-KEY-1|xkeysib-|ops_eyJ"
    r"|IQoJb3|FwoGZX"
)
#: Beginnings that could be a word: 16 letters and digits in one piece must be among what follows.
_SHORT = (
    r"sk-|sess-|xai-|r8_|pplx-|csk-|ls__|jina_|glc_|EAAA|rubygems_|pul-|ntn_|fo1_|nfp_|pnu_|rdme_|sq[pua]_|bkua_|rpa_|tvly-"
    r"|wandb_v1_|ph[cx]_|apify_api_"
)

#: Name of the shape, words (lower case) without which it does not occur, pattern, what takes its place.
FORMATS: tuple[tuple[str, tuple[str, ...], str, str], ...] = (
    (
        "private key block",
        ("private key",),
        (r"-----BEGIN ([A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)-----(?! \[redacted\])"
            r"(?:(?!-----END)[\s\S]){0,20000}(?:-----END [A-Z0-9 ]{0,60}-----)?"),
        r"-----BEGIN \1----- " + MASK,
    ),
    (
        "token as the user of a URL, with a name as its password",
        ("x-oauth",),
        r"(https?://)(?=[^\s/:@]{0,80}\d)[^\s/:@'\"?#]{16,500}(?=:x-oauth-basic@)",
        r"\1" + MASK,
    ),
    (
        "password in a URL",  # up to the last @ before the host; a port and a path are no password
        ("://",),
        (r"([A-Za-z][A-Za-z0-9+.\-]{0,30}://)([^\s/:@'\"?#]{0,200}):(?!\d{1,5}(?:[/?#]|$))(?!\[redacted\])"
            r"([^\s'\"]{1,500})@(?=[\w\[.\-]{1,253})"),
        r"\1\2:" + MASK + "@",
    ),
    (
        "token as the user of a URL",
        ("://",),
        r"([A-Za-z][A-Za-z0-9+.\-]{0,30}://)([^\s/:@'\"?#]{16,500})@(?=[\w\[])",
        r"\1" + MASK + "@",
    ),
    ("AWS access key id", ("akia", "asia", "agpa", "aroa", "aida", "abia", "acca",), r"\b(AKIA|ASIA|AGPA|AROA|AIDA|ABIA|ACCA)[0-9A-Z]{12,124}", r"\1" + MASK),
    ("Hugging Face token", ("hf_", "api_org_",), r"\b(hf_|api_org_)[A-Za-z0-9]{16,200}", r"\1" + MASK),
    ("Google API key", ("aiza",), r"\b(AIza)[\w\-]{30,60}", r"\1" + MASK),
    ("Google OAuth token", ("ya29.", "gocspx-", "1//0",), r"\b(ya29\.|GOCSPX-|1//0)[\w\-.]{16,2000}", r"\1" + MASK),
    ("Slack token", ("xox", "xapp-",), r"\b(xox[abeoprs]-|xapp-)[\w\-]{8,400}", r"\1" + MASK),
    ("SendGrid key", ("sg.",), r"\b(SG\.)[\w\-]{16,64}\.[\w\-]{16,128}", r"\1" + MASK),
    ("Mailgun key", ("key-",), r"\b(key-)[0-9a-f]{32}\b", r"\1" + MASK),
    ("Mailchimp key", ("-us",), r"\b[0-9a-f]{32}(-us\d{1,2})\b", MASK + r"\1"),
    ("Twilio key", ("sk",), r"\b(SK)[0-9a-f]{32}\b", r"\1" + MASK),
    ("Databricks token", ("dapi", "dkea", "dose",), r"\b(dapi|dkea|dose)[0-9a-f]{32}(?:-\d{1,2})?\b", r"\1" + MASK),
    ("package registry token", ("npm_", "pypi-",), r"\b(npm_)[A-Za-z0-9]{30,64}\b|\b(pypi-)[\w\-]{50,400}", r"\1\2" + MASK),
    ("Notion token", ("secret_",), r"\b(secret_)[A-Za-z0-9]{40,64}\b", r"\1" + MASK),
    ("Airtable token", ("pat",), r"\b(pat[A-Za-z0-9]{14}\.)[0-9a-f]{64}\b", r"\1" + MASK),
    ("Terraform Cloud token", ("atlasv1",), r"\b([A-Za-z0-9]{14}\.atlasv1\.)[\w\-=]{60,70}", r"\1" + MASK),
    ("Telegram bot token", (":",), r"\b(?:bot)?(\d{8,10}:)[\w\-]{34,36}(?![\w\-])", r"\1" + MASK),
    ("Discord bot token", (".",), r"\b([MNO])[\w\-]{22,26}\.[\w\-]{6}\.[\w\-]{27,40}", r"\1" + MASK),
    ("Azure client secret", ("q~",), r"(?<![\w~.\-])[\w~.\-]{3}\dQ~[\w~.\-]{31,40}(?![\w~.\-])", MASK),
    ("Vault token", ("s.",), r"(?<![\w.])(s\.)[A-Za-z0-9]{24}\b", r"\1" + MASK),
    (
        "vendor's key",
        (),
        (r"(?<![\w\-])((?:" + _DISTINCT + r")|(?:" + _SHORT + r")(?=[A-Za-z_\-]{0,60}\d)(?=[\w\-]{0,40}[A-Za-z0-9]{16}))"
            r"[\w\-]{16,800}(?:[.+/=][\w\-.+/=]{1,2000})?"),
        r"\1" + MASK,
    ),
    ("JSON web token", ("eyj",), r"\beyJ[\w\-]{8,8000}\.[\w\-]{0,8000}\.[\w\-]{4,8000}(?:\.[\w\-]{0,8000}){0,2}|\beyJ[\w\-]{8,8000}\.[\w\-]{4,8000}", "eyJ" + MASK),
    (
        "web hook",
        ("hook", "api.telegram", "ifttt",),
        (r"(hooks\.slack\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/webhooks/\d{1,30}/"
            r"|(?:outlook\.office(?:365)?\.com|[\w\-]{1,80}\.webhook\.office\.com)/webhookb?2?/"
            r"|hooks\.zapier\.com/hooks/catch/|open\.feishu\.cn/open-apis/bot/v2/hook/|api\.telegram\.org/bot"
            r"|maker\.ifttt\.com/trigger/\w{1,80}/with/key/)[^\s'\")>]{8,400}"),
        r"\1" + MASK,
    ),
    ("Azure storage key", ("accountkey", "sharedaccess",), r"(?i)(AccountKey=|SharedAccessKey=|SharedAccessSignature=)[^;\s'\"]{8,2000}", r"\1" + MASK),
)  # fmt: skip


@lru_cache(maxsize=None)
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern at its first use: a failure needs few of them."""
    return re.compile(pattern)


def without_known_formats(text: str) -> str:
    """Return a text in which secrets of a known shape are masked."""
    lowered = text.lower()
    for _name, hints, pattern, shown in FORMATS:
        if not hints or any(hint in lowered for hint in hints):
            text = compiled(pattern).sub(shown, text)
    return text
