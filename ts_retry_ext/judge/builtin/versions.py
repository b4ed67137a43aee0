"""Versions that do not fit: code that was generated or compiled for another version of its runtime."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

ABOUT_WEIGHTS = True
_SINCE = "2026-11-26"

RULES = (
    fatal(
        "generated-code-for-another-version",
        When(
            message=any_of(r"""
                # protobuf 5 and later, runtime_version.py: versions, major versions, suffixes, domains
                detected (?:incompatible|mismatched) protobuf gencode/runtime
                # grpcio-tools: the head of each _pb2_grpc.py
                the grpc package installed is at version .{1,40}, but the generated code
                # weaviate-client
                grpc incompatibility detected\. protobuf:
            """)
        ),
        "Code that was generated from .proto files needs another version of protobuf or grpcio than the one that is installed.",
        "Install the versions of protobuf and grpcio that the message asks for, or the version of the client that was made for those installed.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "generated-code-for-another-version-by-type",
        When(
            type=(
                "google.protobuf.runtime_version.VersionError",
                "weaviate.exceptions.WeaviateProtobufIncompatibility",
            )
        ),
        "Code that was generated from .proto files needs another version of protobuf or grpcio than the one that is installed.",
        "Install the versions of protobuf and grpcio that the message asks for, or the version of the client that was made for those installed.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "java-class-for-a-newer-java",
        # The JVM, through JPype, Py4J and PySpark.
        When(
            message=any_of(r"""
                has been compiled by a more recent version of the java runtime|unsupported major\.minor version \d
                unsupported class file major version \d
            """)
        ),
        "A class of Java was compiled for a newer Java than the one that runs here (class file version 61 is Java 17, 65 is Java 21).",
        "Install that Java and set JAVA_HOME for TorchServe's process, or compile the jar for the installed one (javac --release).",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "tensorrt-module-of-another-version",
        # Torch-TensorRT, core/runtime/TRTEngine.cpp.
        When(
            message=r"program to be deserialized targets (?:an incompatible|a different) torch-tensorrt abi"
        ),
        "The module was compiled and saved by another version of Torch-TensorRT than the installed one.",
        "Compile it again with the installed torch_tensorrt, or install the version that compiled it.",
        since=_SINCE,
    ),
)
