"""Clients of hubs, stores and databases against local servers that refuse, cut, throttle or lie."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import io
import socket
import ssl
import struct
import sys
import urllib.request
from typing import Any
from unittest.mock import patch

import pytest

from tests.corpus.raising import Raised, library
from tests.corpus.world import PATIENCE, World


def get(url: str, **options: Any) -> Any:
    """Fetch with requests, and raise for a status."""
    requests = library("requests")

    answer = requests.get(url, timeout=PATIENCE, **options)
    answer.raise_for_status()
    return answer


def get_without_socks(url: str, **options: Any) -> Any:
    """Fetch where PySocks cannot be imported, whether it is installed here or not."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("socks", "urllib3.contrib.socks"):
            patch.setitem(sys.modules, name, None)
        # requests looks for it once, when it is imported.
        for name in [name for name in sys.modules if name.partition(".")[0] == "requests"]:
            patch.delitem(sys.modules, name)
        return get(url, **options)


def rq(name: str, wanted: str, path: str) -> Raised:
    return Raised(name, wanted, lambda world: get(world.url + path), "requests")


def hub(world: World, answer: str, **options: Any) -> Any:
    """Download from a hub that answers every question alike."""
    hf_hub_download = library("huggingface_hub").hf_hub_download

    with patch("time.sleep"):  # It waits 23 s in all before it gives up.
        return hf_hub_download(
            "org/model",
            "config.json",
            endpoint=world.url + answer,
            cache_dir=str(world.tmp),
            token=False,
            **options,
        )


def hf(name: str, wanted: str, answer: str, **options: Any) -> Raised:
    return Raised(name, wanted, lambda world: hub(world, answer, **options), "huggingface_hub")


def config(world: World, where: str) -> Any:
    transformers = library("transformers")

    return transformers.AutoConfig.from_pretrained(where, cache_dir=str(world.tmp))


def code_of_a_hub(world: World, code: str) -> Any:
    """Load a class from a model's own code, copied through a cache of its own as from a hub."""
    dynamic = library("transformers.dynamic_module_utils")
    world.file("hub_code/modeling.py", code.encode())
    before, dynamic.HF_MODULES_CACHE = dynamic.HF_MODULES_CACHE, str(world.tmp / "modules")
    try:
        return dynamic.get_class_from_dynamic_module("modeling.Net", str(world.tmp / "hub_code"))
    finally:
        with contextlib.suppress(ValueError):  # not there yet where the code couldn't be read
            sys.path.remove(dynamic.HF_MODULES_CACHE)
        dynamic.HF_MODULES_CACHE = before
        for name in [name for name in sys.modules if name.startswith("transformers_modules")]:
            del sys.modules[name]


def s3(world: World, answer: str, *, key: str = "k", bucket: str = "bucket", **options: Any) -> Any:
    """Read an object from a store that answers every question alike."""
    boto3 = library("boto3")
    client_config = library("botocore.config").Config

    settings = client_config(
        retries={"max_attempts": 1},
        s3={"addressing_style": "path"},
        connect_timeout=PATIENCE,
        read_timeout=PATIENCE,
    )
    secrets = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-west-1"}
    client = boto3.client(
        "s3",
        endpoint_url=answer if answer.startswith("http") else world.url + answer,
        config=settings,
        **{**secrets, **options},
    )
    return client.get_object(Bucket=bucket, Key=key)["Body"].read()


def aws(name: str, wanted: str, answer: str, **options: Any) -> Raised:
    return Raised(name, wanted, lambda world: s3(world, answer, **options), "boto3")


def gcs(world: World, answer: str) -> Any:
    anonymous = library("google.auth.credentials").AnonymousCredentials
    storage = library("google.cloud.storage")

    client = storage.Client(
        "project", anonymous(), client_options={"api_endpoint": world.url + answer}
    )
    return client.bucket("bucket").get_blob("x", retry=None, timeout=PATIENCE) or client.bucket(
        "b"
    ).blob("x").download_as_bytes(retry=None)


def gs(name: str, wanted: str, answer: str) -> Raised:
    return Raised(name, wanted, lambda world: gcs(world, answer), "google.cloud.storage")


def redis_says(world: World, answer: str) -> Any:
    redis = library("redis")
    no_backoff = library("redis.backoff").NoBackoff
    retrying = library("redis.retry").Retry

    def talk(client: socket.socket) -> None:
        while client.recv(1000):
            client.sendall(answer.encode() + b"\r\n")

    port = world.tcp(talk)
    return redis.Redis(port=port, socket_timeout=1, retry=retrying(no_backoff(), 0)).get("x")


def rd(name: str, wanted: str, answer: str) -> Raised:
    return Raised(name, wanted, lambda world: redis_says(world, answer), "redis")


def redis_refuses(world: World, host: str = "localhost") -> Any:
    redis = library("redis")

    return redis.Redis(host, world.closed_port()).get("x")


def redis_socket_missing(world: World) -> Any:
    redis = library("redis")

    return redis.Redis(unix_socket_path=str(world.tmp / "redis.sock")).get("x")


def postgres_says(world: World, code: str, text: str) -> Any:
    psycopg2 = library("psycopg2")

    def talk(client: socket.socket) -> None:
        client.recv(1000)
        fields = b"".join(
            k + v.encode() + b"\0"
            for k, v in ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", code), (b"M", text))
        )
        client.sendall(b"E" + struct.pack("!i", len(fields) + 5) + fields + b"\0")

    port = world.tcp(talk)
    return psycopg2.connect(
        host="127.0.0.1",
        port=port,
        user="app",
        password="p",
        dbname="d",
        sslmode="disable",
        gssencmode="disable",
    )


def pg(name: str, wanted: str, code: str, text: str) -> Raised:
    return Raised(name, wanted, lambda world: postgres_says(world, code, text), "psycopg2")


def postgres_refuses(world: World) -> Any:
    psycopg2 = library("psycopg2")

    return psycopg2.connect(host="127.0.0.1", port=world.closed_port(), user="app", dbname="d")


def postgres_socket_missing(world: World) -> Any:
    psycopg2 = library("psycopg2")

    return psycopg2.connect(host=str(world.tmp), user="app", dbname="d")


def postgres_hangs_up(world: World) -> Any:
    psycopg2 = library("psycopg2")

    port = world.tcp(lambda client: client.close())
    return psycopg2.connect(
        host="127.0.0.1", port=port, user="app", dbname="d", sslmode="disable", gssencmode="disable"
    )


def mysql_says(world: World, code: int, text: str) -> Any:
    pymysql = library("pymysql")

    def talk(client: socket.socket) -> None:
        body = b"\xff" + struct.pack("<H", code) + b"#HY000" + text.encode()
        client.sendall(struct.pack("<I", len(body))[:3] + b"\0" + body)

    return pymysql.connect(host="127.0.0.1", port=world.tcp(talk), user="app", password="p")


def my(name: str, wanted: str, code: int, text: str) -> Raised:
    return Raised(name, wanted, lambda world: mysql_says(world, code, text), "pymysql")


def mysql_refuses(world: World, host: str = "127.0.0.1") -> Any:
    pymysql = library("pymysql")

    return pymysql.connect(host=host, port=world.closed_port(), user="app")


def mongo_refuses(world: World) -> Any:
    pymongo = library("pymongo")

    # Its watching threads would go on into the tests after this one.
    with pymongo.MongoClient(
        "127.0.0.1", world.closed_port(), serverSelectionTimeoutMS=200
    ) as client:
        return client.admin.command("ping")


def grpc_refuses(world: World) -> Any:
    grpc = library("grpc")

    with grpc.insecure_channel(f"127.0.0.1:{world.closed_port()}") as channel:
        return channel.unary_unary("/a/b")(b"", timeout=2)


def grpc_says(_: World, code: str, text: str) -> Any:
    """Call a server that answers every call with one status."""
    grpc = library("grpc")
    status = getattr(grpc.StatusCode, code)

    def handler(_: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(lambda _, call: call.abort(status, text))

    answering = type(
        "Answering", (grpc.GenericRpcHandler,), {"service": lambda _, call: handler(call)}
    )
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((answering(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            return channel.unary_unary("/a/b")(b"", timeout=5)
    finally:
        server.stop(None)


def rpc(name: str, wanted: str, code: str, text: str) -> Raised:
    return Raised(name, wanted, lambda world: grpc_says(world, code, text), "grpc")


def sts(world: World, answer: str) -> Any:
    """Ask a token service, which answers every question alike, for a role's credentials."""
    boto3 = library("boto3")
    unsigned = library("botocore").UNSIGNED
    settings = library("botocore.config").Config(
        signature_version=unsigned, retries={"max_attempts": 1}
    )
    client = boto3.client(
        "sts", endpoint_url=world.url + answer, config=settings, region_name="eu-west-1"
    )
    return client.assume_role_with_web_identity(
        RoleArn="arn:aws:iam::123456789012:role/serving",
        RoleSessionName="worker",
        WebIdentityToken="token",
    )


def protobuf_of_the_future(_: World) -> None:
    version = library("google.protobuf.runtime_version")
    version.ValidateProtobufRuntimeVersion(version.Domain.PUBLIC, 99, 0, 0, "", "m/m.proto")


def fsspec_waits(_: World) -> Any:
    asyn = library("fsspec.asyn")
    return asyn.sync(asyn.get_loop(), asyncio.sleep, PATIENCE * 4, timeout=PATIENCE)


def httpx_get(url: str, **options: Any) -> Any:
    httpx = library("httpx")

    return httpx.get(url, timeout=PATIENCE, **options).raise_for_status()


def aio_get(url: str) -> Any:
    import asyncio

    aiohttp = library("aiohttp")

    async def fetch() -> Any:
        async with aiohttp.ClientSession() as session, session.get(
            url, raise_for_status=True
        ) as answer:
            return await answer.read()

    return asyncio.run(fetch())


def safetensors_load(world: World, content: bytes, name: str = "model.safetensors") -> Any:
    safe_open = library("safetensors").safe_open

    with safe_open(world.file(name, content), "pt") as opened:
        return opened.keys()


def st(name: str, wanted: str, content: bytes) -> Raised:
    return Raised(name, wanted, lambda world: safetensors_load(world, content), "safetensors")


def onnx_session(path: str, **options: Any) -> Any:
    onnxruntime = library("onnxruntime")

    return onnxruntime.InferenceSession(path, **options)


def onnx_of_version(world: World, ir_version: int, opset: int, operator: str = "Relu") -> str:
    onnx = library("onnx")
    tensor_proto = library("onnx").TensorProto
    helper = library("onnx").helper

    node = helper.make_node(operator, ["x"], ["y"])
    x, y = (helper.make_tensor_value_info(name, tensor_proto.FLOAT, [1]) for name in "xy")
    model = helper.make_model(
        helper.make_graph([node], "g", [x], [y]), opset_imports=[helper.make_opsetid("", opset)]
    )
    model.ir_version = ir_version
    path = str(world.tmp / "m.onnx")
    onnx.save(model, path)
    return path


def onnx_with_data_beside(world: World, content: bytes | None) -> str:
    """Save a model whose weights lie in a file beside it; None leaves that file out."""
    onnx = library("onnx")
    helper, tensor_proto = onnx.helper, onnx.TensorProto
    weights = helper.make_tensor("w", tensor_proto.FLOAT, [64, 64], bytes(64 * 64 * 4), raw=True)
    x, y = (helper.make_tensor_value_info(name, tensor_proto.FLOAT, [1, 64]) for name in "xy")
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    model = helper.make_model(
        helper.make_graph([node], "g", [x], [y], [weights]),
        opset_imports=[helper.make_opsetid("", 13)],
    )
    model.ir_version = 8
    path = str(world.tmp / "beside.onnx")
    onnx.save_model(
        model, path, save_as_external_data=True, location="beside.bin", size_threshold=0
    )
    beside = world.tmp / "beside.bin"
    beside.unlink()
    if content is not None:
        beside.write_bytes(content)
    return path


def h5_open_elsewhere(world: World) -> Any:
    h5py = library("h5py")
    path = str(world.tmp / "open.h5")
    with h5py.File(path, "w"):
        return h5py.File(path, "w")


def h5_without_weights(world: World) -> Any:
    h5py = library("h5py")
    path = str(world.tmp / "none.h5")
    h5py.File(path, "w").close()
    with h5py.File(path, "r") as opened:
        return opened["model_weights"]


def validation_fails(_: World) -> Any:
    pydantic = library("pydantic")
    settings = pydantic.create_model("Settings", max_length=(int, ...))
    return settings.model_validate({"max_length": "many"})


def schema_fails(_: World) -> Any:
    jsonschema = library("jsonschema")

    return jsonschema.validate({"a": 1}, {"type": "object", "required": ["b"]})


def tokenizer_from(world: World, content: bytes) -> Any:
    tokenizers = library("tokenizers")

    return tokenizers.Tokenizer.from_file(world.file("tokenizer.json", content))


def sentencepiece_from(world: World, content: bytes) -> Any:
    sentencepiece = library("sentencepiece")

    return sentencepiece.SentencePieceProcessor(model_file=world.file("s.model", content))


def h5_from(world: World) -> Any:
    h5py = library("h5py")

    return h5py.File(world.file("m.h5", b"no hdf5"), "r")


def engine(url: str) -> Any:
    sqlalchemy = library("sqlalchemy")

    return sqlalchemy.create_engine(url).connect()


def google_default(_: World) -> Any:
    service_account = library("google.oauth2.service_account")

    return service_account.Credentials.from_service_account_info({"type": "service_account"})


def proxied(world: World, path: str) -> Any:
    """Ask a proxy that answers CONNECT with a status."""

    def talk(client: socket.socket) -> None:
        client.recv(1000)
        client.sendall(f"HTTP/1.1 {path}\r\nContent-Length: 0\r\n\r\n".encode())

    return get("https://huggingface.co/x", proxies={"https": f"http://127.0.0.1:{world.tcp(talk)}"})


ROWS: tuple[Raised, ...] = (
    # the standard library
    Raised("urllib-404", "U", lambda world: urllib.request.urlopen(world.url + "/status/404")),
    Raised("urllib-401", "N", lambda world: urllib.request.urlopen(world.url + "/status/401")),
    Raised("urllib-403", "U", lambda world: urllib.request.urlopen(world.url + "/status/403")),
    Raised("urllib-403-rate", "R", lambda world: urllib.request.urlopen(world.url + "/hub/429/x")),
    Raised("urllib-500", "R", lambda world: urllib.request.urlopen(world.url + "/status/500")),
    Raised("urllib-502", "R", lambda world: urllib.request.urlopen(world.url + "/status/502")),
    Raised("urllib-504", "R", lambda world: urllib.request.urlopen(world.url + "/status/504")),
    Raised("urllib-refused", "R", lambda world: urllib.request.urlopen(f"http://127.0.0.1:{world.closed_port()}/")),
    Raised("urllib-reset", "R", lambda world: urllib.request.urlopen(world.url + "/reset/")),
    Raised("urllib-closed", "R", lambda world: urllib.request.urlopen(world.url + "/close/")),
    Raised("urllib-cut", "R", lambda world: urllib.request.urlopen(world.url + "/cut/").read()),
    Raised("urllib-slow", "R", lambda world: urllib.request.urlopen(world.url + "/slow/", timeout=PATIENCE)),
    Raised("urllib-no-scheme", "N", lambda _: urllib.request.urlopen("model.pt")),
    Raised("urllib-unknown-scheme", "N", lambda _: urllib.request.urlopen("s3://bucket/model.pt")),
    Raised("urllib-name", "R", lambda _: urllib.request.urlopen("http://no-such-host.invalid/")),
    Raised("urllib-certificate", "N", lambda world: urllib.request.urlopen(world.tls_url + "/x")),
    Raised("tls-to-plain", "N", lambda world: urllib.request.urlopen(world.url.replace("http:", "https:") + "/x")),
    Raised("tls-hung-up", "R", lambda world: ssl.create_default_context().wrap_socket(socket.create_connection(("127.0.0.1", world.tcp(lambda c: c.close()))), server_hostname="x")),
    # requests
    rq("requests-400", "N", "/status/400"),
    rq("requests-401", "N", "/status/401"),
    rq("requests-403", "U", "/status/403"),
    rq("requests-404", "U", "/status/404"),
    rq("requests-408", "R", "/status/408"),
    rq("requests-410", "N", "/status/410"),
    rq("requests-429", "R", "/status/429"),
    rq("requests-500", "R", "/status/500"),
    rq("requests-502", "R", "/status/502"),
    rq("requests-503", "R", "/status/503"),
    rq("requests-reset", "R", "/reset/"),
    rq("requests-closed", "R", "/close/"),
    rq("requests-cut", "R", "/cut/"),
    rq("requests-slow", "R", "/slow/"),
    rq("requests-redirects", "U", "/loop/"),
    Raised("requests-not-json", "U", lambda world: get(world.url + "/page").json(), "requests"),
    Raised("requests-refused", "R", lambda world: get(f"http://127.0.0.1:{world.closed_port()}/"), "requests"),
    Raised("requests-refused-elsewhere", "R", lambda world: get(f"http://{world.elsewhere()}:{world.closed_port()}/"), "requests"),
    Raised("requests-name", "R", lambda _: get("http://no-such-host.invalid/"), "requests"),
    Raised("requests-certificate", "N", lambda world: get(world.tls_url + "/x"), "requests"),
    Raised("requests-bundle", "N", lambda world: get(world.tls_url + "/x", verify="/no/such/ca.pem"), "requests"),
    Raised("requests-tls-to-plain", "N", lambda world: get(world.url.replace("http:", "https:")), "requests"),
    Raised("requests-no-scheme", "N", lambda _: get("model.pt"), "requests"),
    Raised("requests-s3-scheme", "N", lambda _: get("s3://bucket/model.pt"), "requests"),
    Raised("requests-token-with-newline", "N", lambda world: get(world.url, headers={"Authorization": "Bearer x\n"}), "requests"),
    Raised("proxy-407", "N", lambda world: proxied(world, "407 Proxy Authentication Required"), "requests"),
    Raised("proxy-403", "N", lambda world: proxied(world, "403 Forbidden"), "requests"),
    Raised("proxy-503", "R", lambda world: proxied(world, "503 Service Unavailable"), "requests"),
    Raised("proxy-refused", "R", lambda world: get("https://huggingface.co/x", proxies={"https": f"http://127.0.0.1:{world.closed_port()}"}), "requests"),
    Raised("proxy-socks", "N", lambda _: get_without_socks("https://huggingface.co/x", proxies={"https": "socks5://127.0.0.1:1"}), "requests"),
    # httpx and aiohttp
    Raised("httpx-503", "R", lambda world: httpx_get(world.url + "/status/503"), "httpx"),
    Raised("httpx-404", "U", lambda world: httpx_get(world.url + "/status/404"), "httpx"),
    Raised("httpx-refused", "R", lambda world: httpx_get(f"http://127.0.0.1:{world.closed_port()}/"), "httpx"),
    Raised("httpx-slow", "R", lambda world: httpx_get(world.url + "/slow/"), "httpx"),
    Raised("httpx-closed", "R", lambda world: httpx_get(world.url + "/close/"), "httpx"),
    Raised("httpx-cut", "R", lambda world: httpx_get(world.url + "/cut/"), "httpx"),
    Raised("httpx-certificate", "N", lambda world: httpx_get(world.tls_url), "httpx"),
    Raised("httpx-scheme", "N", lambda _: httpx_get("s3://bucket/x"), "httpx"),
    Raised("httpx-token-empty", "N", lambda world: httpx_get(world.url, headers={"Authorization": "Bearer \n"}), "httpx"),
    Raised("aiohttp-500", "R", lambda world: aio_get(world.url + "/status/500"), "aiohttp"),
    Raised("aiohttp-404", "U", lambda world: aio_get(world.url + "/status/404"), "aiohttp"),
    Raised("aiohttp-refused", "R", lambda world: aio_get(f"http://127.0.0.1:{world.closed_port()}/"), "aiohttp"),
    Raised("aiohttp-closed", "R", lambda world: aio_get(world.url + "/close/"), "aiohttp"),
    Raised("aiohttp-cut", "R", lambda world: aio_get(world.url + "/cut/"), "aiohttp"),
    # Hugging Face
    hf("hf-repository-missing", "N", "/hub/404/RepoNotFound"),
    hf("hf-gated", "N", "/hub/403/GatedRepo"),
    hf("hf-file-missing", "N", "/hub/404/EntryNotFound"),
    hf("hf-revision-missing", "N", "/hub/404/RevisionNotFound"),
    hf("hf-throttled", "R", "/hub/429/x"),
    hf("hf-down", "R", "/hub/503/x"),
    hf("hf-gateway", "R", "/hub/504/x"),
    hf("hf-reset", "R", "/reset"),
    hf("hf-local-only", "N", "/hub/404/x", local_files_only=True),
    Raised("hf-refused", "R", lambda world: hub(World(world.tmp, f"http://127.0.0.1:{world.closed_port()}", ""), ""), "huggingface_hub"),
    Raised("hf-name-is-a-path", "N", lambda world: _hub_named("/opt/models/llama"), "huggingface_hub"),
    Raised("transformers-directory-missing", "N", lambda world: config(world, "/opt/models/no-such-llama"), "transformers"),
    Raised("transformers-config-missing", "N", lambda world: config(world, str(world.tmp)), "transformers"),
    Raised("transformers-config-unknown", "N", lambda world: config(world, _model_dir(world, b'{"model_type": "nosuch"}')), "transformers"),
    Raised("transformers-config-empty", "N", lambda world: config(world, _model_dir(world, b"{}")), "transformers"),
    Raised("transformers-config-cut", "N", lambda world: config(world, _model_dir(world, b'{"model_type": ')), "transformers"),
    Raised("transformers-code-without-its-class", "U", lambda world: code_of_a_hub(world, "x = 1\n"), "transformers"),
    Raised("transformers-code-half-written", "U", lambda world: code_of_a_hub(world, "class Net(\n"), "transformers"),
    Raised("transformers-code-needs-a-package", "N", lambda world: code_of_a_hub(world, "if True:\n    import no_such_package_x\n"), "transformers"),
    Raised("picture-from-a-server", "U", lambda _: library("PIL.Image").open(io.BytesIO(b"<html>")), "PIL"),
    Raised("picture-damaged", "N", lambda world: library("PIL.Image").open(world.file("x.png", b"no picture")), "PIL"),
    # weights
    st("safetensors-empty", "N", b""),
    st("safetensors-html", "N", b"<html><body>not found</body></html>"),
    st("safetensors-lfs-pointer", "N", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"),
    st("safetensors-cut", "N", struct.pack("<Q", 60) + b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}     ' + b"xx"),
    st("safetensors-header", "N", struct.pack("<Q", 8) + b"not json"),
    Raised("safetensors-missing", "N", lambda _: _safetensors_missing(), "safetensors"),
    Raised("onnx-missing", "N", lambda _: onnx_session("no_such_model.onnx"), "onnxruntime"),
    Raised("onnx-missing-on-a-mount", "U", lambda _: onnx_session("/mnt/no-such-mount/model.onnx"), "onnxruntime"),
    Raised("onnx-damaged", "N", lambda world: onnx_session(world.file("m.onnx", b"no onnx at all")), "onnxruntime"),
    Raised("onnx-empty", "N", lambda world: onnx_session(world.file("e.onnx")), "onnxruntime"),
    Raised("onnx-ir-version", "N", lambda world: onnx_session(onnx_of_version(world, 99, 13)), "onnx"),
    Raised("onnx-opset", "N", lambda world: onnx_session(onnx_of_version(world, 8, 99)), "onnx"),
    Raised("onnx-operator", "N", lambda world: onnx_session(onnx_of_version(world, 8, 13, "NoSuchOp")), "onnx"),
    Raised("onnx-data-missing", "N", lambda world: library("onnx").load(onnx_with_data_beside(world, None)), "onnx"),
    Raised("onnx-data-missing-checked", "N", lambda world: library("onnx").checker.check_model(onnx_with_data_beside(world, None)), "onnx"),
    Raised("onnx-data-cut", "N", lambda world: onnx_session(onnx_with_data_beside(world, b"cut")), "onnxruntime"),
    Raised("hdf5-open-elsewhere", "R", h5_open_elsewhere, "h5py"),
    Raised("hdf5-without-weights", "N", h5_without_weights, "h5py"),
    Raised("protobuf-code-too-new", "N", protobuf_of_the_future, "google.protobuf.runtime_version"),
    Raised("jinja-name-missing", "N", lambda _: _template("{{ messages }}"), "jinja2"),
    Raised("fsspec-timeout", "R", fsspec_waits, "fsspec"),
    Raised("fsspec-protocol", "N", lambda _: library("fsspec").open("nosuch://x/model.pt").open(), "fsspec"),
    Raised("tokenizer-cut", "N", lambda world: tokenizer_from(world, b'{"version": "1.0", "model": {'), "tokenizers"),
    Raised("tokenizer-variant", "N", lambda world: tokenizer_from(world, b'{"version": "1.0", "model": {"type": "Nope"}}'), "tokenizers"),
    Raised("tokenizer-empty", "N", lambda world: tokenizer_from(world, b""), "tokenizers"),
    Raised("sentencepiece-damaged", "N", lambda world: sentencepiece_from(world, b"no model"), "sentencepiece"),
    Raised("hdf5-damaged", "N", h5_from, "h5py"),
    Raised("pydantic-validation", "N", validation_fails, "pydantic"),
    Raised("jsonschema-validation", "N", schema_fails, "jsonschema"),
    # stores
    aws("s3-key-missing", "U", "/s3/404/NoSuchKey/The+specified+key+does+not+exist."),
    aws("s3-bucket-missing", "N", "/s3/404/NoSuchBucket/The+specified+bucket+does+not+exist"),
    aws("s3-denied", "U", "/s3/403/AccessDenied/Access+Denied"),
    aws("s3-denied-with-reason", "N", "/s3/403/AccessDenied/User:+app+is+not+authorized+to+perform:+s3:GetObject"),
    aws("s3-key-id", "N", "/s3/403/InvalidAccessKeyId/The+AWS+Access+Key+Id+you+provided+does+not+exist+in+our+records."),
    aws("s3-signature", "N", "/s3/403/SignatureDoesNotMatch/The+request+signature+we+calculated+does+not+match"),
    aws("s3-expired", "U", "/s3/400/ExpiredToken/The+provided+token+has+expired."),
    aws("s3-clock", "R", "/s3/403/RequestTimeTooSkewed/The+difference+is+too+large."),
    aws("s3-slow-down", "R", "/s3/503/SlowDown/Please+reduce+your+request+rate."),
    aws("s3-internal", "R", "/s3/500/InternalError/We+encountered+an+internal+error."),
    aws("s3-unavailable", "R", "/s3/503/ServiceUnavailable/Service+is+unable+to+handle+request."),
    aws("s3-changed-on-the-way", "R", "/changed"),
    aws("s3-reset", "R", "/reset"),
    aws("s3-slow", "R", "/slow"),
    aws("s3-name", "R", "http://no-such-host.invalid"),
    aws("s3-bucket-name", "N", "/x", bucket="Not A Bucket!"),
    Raised("s3-refused", "R", lambda world: s3(world, f"http://127.0.0.1:{world.closed_port()}"), "boto3"),
    Raised("s3-refused-elsewhere", "R", lambda world: s3(world, f"http://{world.elsewhere()}:{world.closed_port()}"), "boto3"),
    Raised("s3-certificate", "N", lambda world: s3(world, world.tls_url), "boto3"),
    gs("gcs-missing", "U", "/gcs/404/No+such+object"),
    gs("gcs-forbidden", "N", "/gcs/403/a@b+does+not+have+storage.objects.get+access"),
    gs("gcs-forbidden-without-reason", "U", "/gcs/403/Forbidden"),
    gs("gcs-quota", "R", "/gcs/403/Quota+exceeded+for+quota+metric"),
    gs("gcs-unavailable", "R", "/gcs/503/Backend+Error"),
    gs("gcs-throttled", "R", "/gcs/429/rate+limit+exceeded"),
    Raised("google-account-file", "N", google_default, "google.auth"),
    # databases
    Raised("redis-refused", "R", redis_refuses, "redis"),
    Raised("redis-refused-elsewhere", "R", lambda world: redis_refuses(world, world.elsewhere()), "redis"),
    Raised("redis-url-option", "N", lambda _: library("redis").Redis.from_url("redis://h/0?socket_timeout=x"), "redis"),
    Raised("mongo-url-port", "N", lambda _: library("pymongo").MongoClient("mongodb://h:99999/"), "pymongo"),
    Raised("mongo-url-password", "N", lambda _: library("pymongo").MongoClient("mongodb://h:p:1/"), "pymongo"),
    Raised("sqlalchemy-url-port", "N", lambda _: library("sqlalchemy").create_engine("postgresql://u:p@h:port/db"), "sqlalchemy"),
    Raised("redis-socket-missing", "U", redis_socket_missing, "redis"),
    rd("redis-loading", "R", "-LOADING Redis is loading the dataset in memory"),
    rd("redis-wrong-password", "N", "-WRONGPASS invalid username-password pair or user is disabled."),
    rd("redis-no-password", "N", "-NOAUTH Authentication required."),
    rd("redis-full", "R", "-ERR max number of clients reached"),
    rd("redis-cluster-down", "R", "-CLUSTERDOWN The cluster is down"),
    rd("redis-master-down", "R", "-MASTERDOWN Link with MASTER is down"),
    rd("redis-no-permission", "N", "-NOPERM this user has no permissions to run the 'get' command"),
    Raised("postgres-refused", "R", postgres_refuses, "psycopg2"),
    Raised("postgres-socket-missing", "U", postgres_socket_missing, "psycopg2"),
    Raised("postgres-hangs-up", "R", postgres_hangs_up, "psycopg2"),
    pg("postgres-starting", "R", "57P03", "the database system is starting up"),
    pg("postgres-full", "R", "53300", "sorry, too many clients already"),
    pg("postgres-password", "N", "28P01", 'password authentication failed for user "app"'),
    pg("postgres-database", "N", "3D000", 'database "features" does not exist'),
    pg("postgres-role", "N", "28000", 'role "app" does not exist'),
    pg("postgres-host", "N", "28000", 'no pg_hba.conf entry for host "10.0.0.1", user "app", database "d"'),
    Raised("mysql-refused", "R", mysql_refuses, "pymysql"),
    Raised("mysql-refused-elsewhere", "R", lambda world: mysql_refuses(world, world.elsewhere()), "pymysql"),
    my("mysql-full", "R", 1040, "Too many connections"),
    my("mysql-password", "N", 1045, "Access denied for user 'app'@'10.0.0.1' (using password: YES)"),
    my("mysql-database", "N", 1049, "Unknown database 'features'"),
    Raised("mongo-refused", "R", mongo_refuses, "pymongo"),
    Raised("mongo-address", "N", lambda _: library("pymongo").MongoClient("http://x"), "pymongo"),
    Raised("grpc-refused", "R", grpc_refuses, "grpc"),
    rpc("grpc-model-unknown", "U", "NOT_FOUND", "model ranker not found"),
    rpc("grpc-memory", "R", "RESOURCE_EXHAUSTED", "CUDA out of memory while trying to allocate 8589934592 bytes"),
    rpc("grpc-quota", "R", "RESOURCE_EXHAUSTED", "Quota exceeded"),
    rpc("grpc-unavailable", "R", "UNAVAILABLE", "server is shutting down"),
    rpc("grpc-no-method", "N", "UNIMPLEMENTED", "Method not found!"),
    Raised("sts-provider-unknown", "U", lambda world: sts(world, "/sts/400/InvalidIdentityToken/No+OpenIDConnect+provider+found+in+your+account"), "boto3"),
    Raised("sts-key-not-fetched", "R", lambda world: sts(world, "/sts/400/InvalidIdentityToken/Couldn%27t+retrieve+verification+key+from+your+identity+provider"), "boto3"),
    Raised("sts-provider-silent", "R", lambda world: sts(world, "/sts/400/IDPCommunicationError/Identity+provider+could+not+be+reached"), "boto3"),
    Raised("sts-token-expired", "U", lambda world: sts(world, "/sts/400/ExpiredTokenException/Token+expired:+current+date/time+must+be+before+the+expiration+date"), "boto3"),
    Raised("sts-denied", "U", lambda world: sts(world, "/sts/403/AccessDenied/Not+authorized+to+perform+sts:AssumeRoleWithWebIdentity"), "boto3"),
    Raised("sts-throttled", "R", lambda world: sts(world, "/sts/400/Throttling/Rate+exceeded"), "boto3"),
    Raised("sqlalchemy-address", "N", lambda _: engine("no address"), "sqlalchemy"),
    Raised("sqlalchemy-dialect", "N", lambda _: engine("nosuch://x"), "sqlalchemy"),
)  # fmt: skip


def _hub_named(name: str) -> Any:
    hf_hub_download = library("huggingface_hub").hf_hub_download

    return hf_hub_download(name, "config.json")


def _model_dir(world: World, content: bytes) -> str:
    world.file("hf/config.json", content)
    return str(world.tmp / "hf")


def _template(text: str) -> str:
    jinja2 = library("jinja2")
    return str(jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(text).render())


def _safetensors_missing() -> Any:
    safe_open = library("safetensors").safe_open

    return safe_open("no_such_model.safetensors", "pt")
