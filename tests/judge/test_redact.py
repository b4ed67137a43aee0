"""Secrets never get through; what an operator needs stays."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from ts_retry_ext.judge.capture import failure_from_exception
from ts_retry_ext.judge.failure import Cause, Failure, Frame, Phase
from ts_retry_ext.judge.redact import MASK, redact, redacted, secret_values

GONE = [
    ("password=AQRSTUVWXYZBCDEFGHJKLMNP is wrong", "AQRSTUVWXYZBCDEFGHJKLMNP", "is wrong"),
    ("token=aqrstuvwxyzbcdefghjklmnp and more", "aqrstuvwxyzbcdefghjklmnp", "and more"),
    ("https://user:s3cr3t-pw@git.example.com/x.git", "s3cr3t-pw", "git.example.com"),
    ("redis://:hunter2hunter2@cache:6379/0", "hunter2hunter2", "cache:6379"),
    ("postgresql+psycopg2://app:p%40ss/w0rd@db/x", "p%40ss/w0rd", "@db/x"),
    ("https://ghp_abcdefghijklmnopqrstuvwxyz0123456789@github.com/a/b", "abcdefghijklmnopqrstuvwxyz0123456789", "github.com/a/b"),
    ("cannot get https://a.blob.core.windows.net/c/b?sv=2022&sig=SECRETWORD&se=1", "SECRETWORD", "&se=1"),
    ("https://b.s3.amazonaws.com/x?X-Amz-Security-Token=plainword&y=1", "plainword", "&y=1"),
    ("Authorization: Bearer abc.def-123456", "abc.def-123456", "Authorization"),
    ("headers={'Authorization': 'Basic dXNlcjpwYXNz0000'}", "dXNlcjpwYXNz0000", "headers"),
    ("AKIAIOSFODNN7EXAMPLE is not valid", "IOSFODNN7EXAMPLE", "is not valid"),
    ("aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI", "aws_secret_access_key"),
    ("token hf_AbCdEfGhIjKlMnOpQrStUvWxYz is invalid", "AbCdEfGhIjKlMnOpQrStUvWxYz", "is invalid"),
    ("key=AIzaSyA1234567890abcdefghijklmnopqrstuvw", "SyA1234567890", "AIza"),
    ("xoxb-123456789012-abcdefghij", "123456789012", "xoxb-"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "dozjgNryP4J3jVmNHl0w5N", "eyJ"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----\nafter", "MIIEow", "after"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEow cut", "MIIEow", "BEGIN PRIVATE KEY"),
    ("AccountName=x;AccountKey=Zm9vYmFyYmF6cXV4;EndpointSuffix=core", "Zm9vYmFyYmF6cXV4", "EndpointSuffix=core"),
    ("GET /k?X-Amz-Signature=0123abcd4567&X-Amz-Date=20240101", "0123abcd4567", "X-Amz-Date=20240101"),
    ('{"password": "correct horse battery"}', "correct horse battery", "password"),
    ("connect(user='a', password='b0unty!!x')", "b0unty!!x", "user='a'"),
    ("MY_SERVICE_TOKEN: abcdef123456", "abcdef123456", "MY_SERVICE_TOKEN"),
]  # fmt: skip

SECRET = "Zx9qTr4vLm2WkP7bNc"
#: The forms in which people and programs write one down.
FORMS = [
    f'Authorization: ApiKey {SECRET}',
    f'authorization: Token token={SECRET}',
    f'"Authorization": "Bot {SECRET}"',
    f"{{'authorization': b'Bearer {SECRET}'}}",
    f'Proxy-Authorization: Basic {SECRET}==',
    f'Set-Cookie: sid={SECRET}; Path=/; HttpOnly',
    f"cookies={{'session': '{SECRET}'}}",
    f'--api-key {SECRET}',
    f'--hf-token={SECRET}',
    f"-H 'X-Api-Key: {SECRET}'",
    f'huggingface-cli login --token {SECRET}',
    f'docker login -u me -p {SECRET} reg.io',
    f'redis-cli -h c -a {SECRET} ping',
    f'sshpass -p {SECRET} ssh x',
    f'curl --user me:{SECRET} http://x',
    f'PGPASSWORD={SECRET} psql',
    f"('x-api-key', '{SECRET}')",
    f"[(b'authorization', b'Bearer {SECRET}')]",
    f"headers: [('X-Vault-Token', '{SECRET}')]",
    f"SecretStr('{SECRET}')",
    f"api_key=SecretStr('{SECRET}')",
    f"password=Secret('{SECRET}')",
    f'password: |\n  {SECRET}',
    f'db:\n  password: >-\n    {SECRET}',
    f'secret_access_key: "{SECRET}"',
    f'\\"api_key\\":\\"{SECRET}\\"',
    f"'{{\\'password\\': \\'{SECRET}\\'}}'",
    f'<ApiKey>{SECRET}</ApiKey>',
    f'<wsse:Password Type="x">{SECRET}</wsse:Password>',
    f'<add key="password" value="{SECRET}" />',
    f'Password={{{SECRET}}};Server=x',
    f'jdbc:mysql://h/db?user=u&password={SECRET}',
    f'jdbc:oracle:thin:u/{SECRET}@h:1521/x',
    f'mongodb://u:p@ss:{SECRET}@h:27017/db',
    f'amqp://guest:{SECRET}@mq//',
    f'ftp://u:{SECRET}@h/x',
    f'https://{SECRET}:x-oauth-basic@github.com/o/r',
    f'smtp://me%40x.com:{SECRET}@mail:587',
    f"invalid password '{SECRET}' for user x",
    f"token '{SECRET}AbCd' is not valid",
    f'Invalid API key: {SECRET}',
    f'The API key {SECRET} is invalid',
    f'bad secret: {SECRET}',
    f'signing_secret={SECRET}',
    f'jwt_secret: {SECRET}',
    f"ENCRYPTION_KEY='{SECRET}'",
    f'MASTER_KEY={SECRET}',
    f'license_key: {SECRET}',
    f'X-Amz-Security-Token={SECRET}{SECRET}',
    f'https://a.blob.core.windows.net/c?sv=2022&sig={SECRET}%2B%3D&se=1',
    f'https://f.azurewebsites.net/api/x?code={SECRET}==',
    f'https://api.x.com/v1?access_token={SECRET}&a=1',
    f'https://x/y?api_key={SECRET}',
    f'https://x/#id_token={SECRET}',
    f'aws configure set aws_secret_access_key {SECRET}{SECRET}',
    f"HTTPBasicAuth('me', '{SECRET}')",
    f"auth=BasicAuth(login='me', password='{SECRET}')",
    f"credentials=('me','{SECRET}')",
    f'connect(host, \'me\', passwd="{SECRET}")',
    f'User ID=sa;Password={SECRET};',
    f'pwd:{SECRET}',
    f'passwd: {SECRET}',
    f'userPassword: {SECRET}',
    f'dbPass={SECRET}',
    f'DB_PASS={SECRET}',
    f'x-api-key: {SECRET}',
    f'Ocp-Apim-Subscription-Key: {SECRET}',
    f'apiToken={SECRET}',
    f'refresh_token":"{SECRET}"',
    f'bearer_token = {SECRET}',
    f'WANDB_API_KEY={SECRET}',
    f'private_token: {SECRET}',
    f"sas_token='?sv=1&sig={SECRET}'",
]  # fmt: skip

#: Keys that are known by their own shape, and a part of each that must go.
VENDORS = [
    ('glsa_AbCdEfGhIjKlMnOpQrStUvWxYz012345_a1b2c3d4', 'Yz012345'),
    ('gsk_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEf', '89AbCdEf'),
    ('xai-AbCdEf0123456789AbCdEf0123456789AbCdEf', '89AbCdEf'),
    ('hvs.AbCdEfGhIjKlMnOpQrStUv12', 'QrStUv12'),
    ('https://discord.com/api/webhooks/123456789012345678/AbCdEf-GhIjKlMnOpQrStUvWxYz_0123456789', 'StUvWxYz'),
    ('https://x.webhook.office.com/webhookb2/11111111-aaaa@2222/IncomingWebhook/0123abcd0123abcd/33', '0123abcd'),
    ('MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcDE.AbCdEfGhIjKlMnOpQrStUvWxYz0123456789ab', '456789ab'),
    ('123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw8', 'PALDsaw8'),
    ('pplx-0123456789abcdef0123456789abcdef', '89abcdef'),
    ('sk-proj-AbCdEf0123_456789abcdefGHIJ', 'cdefGHIJ'),
    ('sk-or-v1-0123456789abcdef0123456789abcdef', '89abcdef'),
    ('ATATT3xFfGF0AbCdEfGhIjKlMnOpQrSt', 'MnOpQrSt'),
    ('shpat_0123456789abcdef0123456789abcdef', '89abcdef'),
    ('AbC8Q~AbCdEfGhIjKlMnOpQrStUvWxYz012345678', '12345678'),
    ('0123456789abcdef0123456789abcdef-us12', '89abcdef'),
    ('SK0123456789abcdef0123456789abcdef', '89abcdef'),
    ('eyJhbGciOiJkaXIifQ..AbCdEf.GhIjKlMn.OpQrSt', 'JkaXIifQ'),
    ('dop_v1_0123456789abcdef0123456789abcdef0123456789abcdef', '89abcdef'),
    ('-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEEIZx9qTr4v\\n-----END EC PRIVATE KEY-----', 'Zx9qTr4v'),
    ('key: -----BEGIN ENCRYPTED PRIVATE KEY-----\nZx9qTr4vLm2W\n', 'Zx9qTr4v'),
]  # fmt: skip

STAYS = [
    "https://huggingface.co/org/model/resolve/main/config.json",
    "Can't load tokenizer for 'x'. token must not be None",
    "special_tokens_map.json and tokenizer.json are missing",
    "KeyError: 'state_dict'",
    'password authentication failed for user "app"',
    "Make sure to pass a token having permission to this repo either by logging in with `hf auth login`",
    'Unexpected key(s) in state_dict: "bn1.running_mean"',
    "/home/model-server/tmp/models/0123456789abcdef0123456789abcdef/model.pt",
    "pad_token_id=0, eos_token: </s>",
    'password authentication failed for user "app"',
    'fe_sendauth: no password supplied',
    "Enter passphrase for key '/root/.ssh/id_rsa':",
    'tokens: 4096',
    'max_new_tokens=128',
    'token_classification: BertForTokenClassification',
    'pad_token: [PAD]',
    'bos_token = <s>',
    "The tokenizer class you load from this checkpoint is 'LlamaTokenizer'",
    "secret 'db-creds' not found",
    'Secret: not found',
    'secretKeyRef: name missing',
    'secretName: model-store-creds',
    'serviceAccountToken: expirationSeconds',
    "KeyError: 'api_key'",
    'api_key must be a string, got None',
    'Missing required argument: api_key',
    'password: None',
    'password=None',
    'password: ********',
    'passwd=****',
    'auth_type=basic',
    'auth: disabled',
    'authentication: required',
    'credentials: Optional[Credentials] = None',
    'No credentials found in /root/.aws/credentials',
    'credential_path: /etc/x.json',
    'access_key_id must be set',
    'signature mismatch for get_input_embeddings(self)',
    'inspect.signature: no signature found for builtin',
    'key: value',
    'primary_key=12345678',
    'foreign key constraint failed: fk_users',
    'keyerror: layer.0.weight',
    'partition_key: 2024-11-01',
    'cache_key=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    'https://huggingface.co/org/model@main',
    'git+https://github.com/org/repo@v1.2.3',
    'pip install git+ssh://git@github.com/o/r.git@abc1234',
    'docker pull registry:5000/team/img@sha256:0123456789abcdef',
    'http://localhost:8080/predictions/m@1',
    'meta-llama/Llama-2-7b-hf@abc12345',
    'compass: north',
    'bypass=1',
    'sk-learn-intelex-2024',
    'ghost_file_name_that_is_long',
    'npm_config_registry_url_is_set',
    'basic block 12345678',
    'Basic usage: see docs',
    'digest sha256:0123456789abcdef0123456789abcdef',
    'Bearer token required',
    'bearer authentication-scheme-is-missing',
    'token_ids.shape == (1, 512)',
    "unexpected token 'layer12' in expression",
    '<token>',
    'session: closed',
    'session_id missing',
    'Cookie: disabled',
    'cookie jar is empty',
    'sig=SIGKILL',
    'signal: SIGTERM',
    'num_key_value_heads: 8',
    'key_cache.0.weight is missing',
    'past_key_values: Tuple',
    'secret_santa.py: line 3',
    'get_token(x): expected str',
    'tokenizer_config.json: no such file',
    'token: str = None',
    'secrets: [db, api]',
    '/var/run/secrets/kubernetes.io/serviceaccount/token: permission denied',
    'open(/run/secrets/db_password): no such file or directory',
    'AWS_SECRET_ACCESS_KEY is not set',
    'HF_TOKEN environment variable is not set',
    'Set WANDB_API_KEY or run wandb login',
    'Your api key is invalid',
    'connection_string: Required',
    'pass 1 of 2 failed',
    'pass=True',
    'author: John',
    'authority=localhost:50051',
    'auth failed: 403 Forbidden',
    'token expired at 2026-11-25T10:00:00Z',
    'token: expired',
    'password expired 2026-01-01',
    'commit 0123456789abcdef0123456789abcdef01234567',
    'model_key: encoder.layer.11',
    'api_version=2024-02-01',
    'service_key: my-feature-service',
    'user=app password=',
    'key-value store is down',
]  # fmt: skip


@pytest.mark.parametrize(("text", "secret", "kept"), GONE)
def test_a_secret_is_gone_and_its_surroundings_stay(text: str, secret: str, kept: str) -> None:
    shown = redact(text)
    assert secret not in shown
    assert MASK in shown
    assert kept in shown


@pytest.mark.parametrize("text", FORMS)
def test_a_secret_is_gone_in_every_form_that_names_it(text: str) -> None:
    assert SECRET not in redact(text)
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(("text", "part"), VENDORS)
def test_a_key_is_known_by_its_own_shape(text: str, part: str) -> None:
    assert part not in redact(text)
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize("text", STAYS)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_a_key_that_is_called_a_token_is_masked_once() -> None:
    assert redact("token: hf_AbCdEfGhIjKlMnOpQrStUvWx") == f"token: hf_{MASK}"


def test_redacting_twice_changes_nothing_more() -> None:
    for text, _, _ in GONE:
        assert redact(redact(text)) == redact(text)


def test_values_of_secret_looking_variables_are_found() -> None:
    environ = {
        "DB_PASSWORD": "hunter2!",
        "MY_TOKEN": "tok-1234567890",
        "TOKENIZERS_PARALLELISM": "false",
        "API_KEY_FILE": "/run/secrets/key",
        "SECRET_KEY": "short",
        "HOME": "/root",
        "PIN_TOKEN": "123456",
        "SECRET_PATH": "somewhere",
    }
    assert [value for value in secret_values(environ) if "%" not in value] == [
        "tok-1234567890",
        "hunter2!",
    ]


def test_a_value_is_found_as_repr_json_and_urls_write_it() -> None:
    value = "p@ss\\w0rd+\"x'"
    secrets = secret_values({"DB_PASSWORD": value})
    for shown in (value, repr(value), json.dumps(value), quote(value), quote(value, safe="")):
        assert "w0rd" not in redact(f"bad value {shown}", secrets)


@pytest.mark.parametrize("place", range(0, 9_000, 450))
def test_a_secret_that_a_cut_would_divide_is_gone(place: int) -> None:
    body = "".join(f"Q{number:03d}keyline" for number in range(150))
    key = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"
    value = "correct-horse-battery-0123456789"
    for secret, part in ((key, "keyline"), (value, value[:8]), (value, value[-8:])):
        text = "x" * place + " " + secret + " " + "y" * (40_000 - place)
        failure = failure_from_exception(ValueError(text), Phase.INITIALIZE, secrets=(value,))
        assert len(failure.message) < 9_000
        assert part not in redacted(failure, (value,)).message
        assert part not in redacted(failure, (value,)).traceback


def test_a_part_of_a_secret_that_a_cut_has_left_is_masked() -> None:
    text = "a correct-ho … [123 characters left out] … 0123456789 b"
    assert redact(text, ("correct-horse-battery-0123456789",)) == (
        f"a {MASK} … [123 characters left out] … {MASK} b"
    )


def test_every_text_of_a_failure_is_redacted() -> None:
    secret = "tok-1234567890"
    failure = Failure(
        type="ValueError",
        message=secret,
        phase=Phase.IMPORT,
        notes=(secret,),
        chain=(Cause("E", secret, notes=(secret,), filename=secret, remedy=secret),),
        frames=(Frame(f"/x/{secret}/a.py", "f"),),
        traceback=secret,
        filename=secret,
        remedy=secret,
    )
    assert secret not in repr(redacted(failure, (secret,)))
