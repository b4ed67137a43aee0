"""Object stores and registries: S3, GCS, Azure, MLflow, plain HTTP."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.builtin.words import TRIED_UNTIL_THEN, UNLESS_A_JOB_MAKES_IT
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"

RULES = (
    ambiguous(
        "store-head-says-no-reason",
        When(message=r"\((?:400|412)\) when calling the head\w+ operation"),
        "The answer to HEAD has no body, so S3 does not say why: region, signature or an expired token.",
        "Ask for the object with GET (aws s3 cp) on this host: that answer names the reason.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "bucket-missing",
        When(
            message=any_of(r"""
                # S3
                no_?such_?bucket|\(404\) when calling the headbucket|permanentredirect|illegallocationconstraint
                invalidbucketname|unable to parse .{0,60}bucket
                # Azure
                containernotfound|accountnameinvalid
                # Several
                specified (?:container|bucket) does not exist|(?:the )?bucket does not exist
                bucket (?:is )?not found|no such (?:bucket|container|repo)|bucket must match
            """)
        ),
        "The store has no bucket or container of this name, or has it in another region; no upload of an object cures that.",
        "Correct the name or the region in the model's configuration, or make the bucket.",
        since="2026-11-26",
    ),
    fatal(
        "model-folder-without-mlmodel",
        # A folder in the archive stays as it is; the same folder in a store is `object-missing`.
        When(
            message=r"could not find an .?mlmodel|does not contain .{0,40}mlmodel",
            path="present_in_model_dir",
        ),
        "A folder of the archive is no model of MLflow: it has no file MLmodel.",
        "Pack the whole folder that mlflow.*.save_model() wrote, with --extra-files.",
        since="2026-11-26",
    ),
    ambiguous(
        "registered-model-missing",
        When(
            message=any_of(r"""
                # MLflow
                resource_does_not_exist|registered model .{0,120}not found
                \brun (?:with id|id)?[ =:'\"]{0,3}[0-9a-f]{8,64}['\"]? .{0,40}not found|no versions of model
                model version .{0,80}not found|model with name .{0,100}not found
                could not find (?:a )?(?:registered|model version|logged)|no model .{0,60}(?:stage|alias)|registered model alias
            """)
        ),
        f"The registry of models does not have the model, version, stage, alias or run that is asked for. {UNLESS_A_JOB_MAKES_IT}",
        f"Correct its name or MLFLOW_TRACKING_URI, or set the alias or stage in the registry. {TRIED_UNTIL_THEN}",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    ambiguous(
        "object-missing",
        When(
            message=any_of(r"""
                # S3
                nosuchkey|nosuchversion|\(404\) when calling|nosuchupload
                # Google
                no such object|not found: gs://|404 (?:get|head) https?:
                # Azure
                blobnotfound|specified (?:blob|resource|key) does not exist
                the specified resource (?:name )?(?:was )?not found|resourcenotfounderror
                # MLflow
                does not contain .{0,40}mlmodel|could not find an .?mlmodel
                # Weights & Biases, Feast
                project .{1,200} does not contain artifact|(?:feature view|feature service|entity) .{1,200} does not exist in project
                # Several
                notfoundexception|resourcenotfoundexception|resource_not_found|no such artifact|no such (?:blob|version)
            """)
        ),
        f"The store does not have the object, alias or version that is asked for. {UNLESS_A_JOB_MAKES_IT}",
        f"Correct the name, region or version, or upload it. {TRIED_UNTIL_THEN}",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "model-store-lacks-model",
        When(
            message=any_of(r"""
                # BentoML
                (?:found|exist) in bentoml (?:model )?store
                # Ollama
                try pulling it first
                # Weights & Biases, ClearML
                \bartifact ['\"]?[\w.:/@\-]{1,200}['\"]? (?:was |is )?not found|could not find model (?:with )?id
            """),
            unless=r"unauthorized|permission",
        ),
        f"The model store of this host or service does not have the model that is asked for. {UNLESS_A_JOB_MAKES_IT}",
        f"Correct the name or the version, or pull or import the model into the store. {TRIED_UNTIL_THEN}",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    fatal(
        "store-forbids",
        When(
            message=any_of(r"""
                # AWS
                allaccessdisabled|not authorized to perform:|unauthorizedoperation|kms\.?(?:notfound|disabled|invalid(?!state))
                kmskeydisabled|explicit deny
                # Google
                does not have (?:storage|\w+)\.\w+\.?\w* access|permission_denied
                permission (?:['\"]?[\w.]{1,80}['\"]? )?denied (?:on|for) resource|caller does not have
                # Azure
                insufficient(?:accountpermissions|permissions?\b| permissions? (?:to|for|on)\b|_permissions|authenticationscopes)
                publicaccessnotpermitted
                # Several
                does not have (?:\S{1,80} )?permissions? (?:to|for|on)\b|requires? (?:the )?permission
            """),
            unless=r"rate|quota|throttl|slow ?down|too many|temporar|exceeded|limit",
        ),
        "The store forbids these credentials the access, and names the right that is missing.",
        "Give the role or account the right to read the object.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "store-forbids-without-reason",
        When(
            message=any_of(r"""
                accessdenied|access denied|access_denied|authorizationpermissionmismatch|authorizationfailure|is not authorized
                not authorized to perform|\(403\) when calling
            """),
        ),
        "The store forbids the access and names no reason: a right, a token, the network, or a change not yet in force.",
        "Try the access by hand on this host; check role, policy and firewall. Changes of rights take minutes.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "google-forbids-without-reason",
        When(
            type=(
                "google.api_core.exceptions.Forbidden",
                "google.api_core.exceptions.PermissionDenied",
            ),
            unless=r"rate|quota|throttl|temporar|limit exceeded",
        ),
        "The store forbids the access and names no reason.",
        "Try the access by hand on this host; check the account's roles. Changes of rights take minutes.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "aws-region-missing",
        When(
            message=r"you must specify a region",
            exact_type=("NoRegionError", "botocore.exceptions.NoRegionError"),
        ),
        "The client of AWS does not know which region to ask.",
        "Set AWS_DEFAULT_REGION for TorchServe's process, or pass region_name.",
        since="2026-11-26",
    ),
    fatal(
        "connection-string-invalid",
        When(type=("InvalidURI",)),
        "The connection string of a database is not valid.",
        "Correct it in the model's configuration or environment; characters such as @ : / % in user and password have to be "
        "escaped (urllib.parse.quote_plus).",
        since="2026-11-27",
    ),
    fatal(
        "region-name-malformed",
        # botocore
        When(type=("InvalidRegionError",)),
        "The name of the region is not written as regions are: small letters and digits with '-', as eu-central-1.",
        "Correct it in AWS_REGION or AWS_DEFAULT_REGION, ~/.aws/config or the model's configuration.",
        since="2026-11-27",
    ),
    fatal(
        "store-call-invalid",
        When(
            type=(
                "ParamValidationError",
                "NoRegionError",
                "UnknownServiceError",
                "InvalidRegionError",
                "ProfileNotFound",
                "ConfigParseError",
                "UnknownEndpointError",
                "InvalidConfigError",
                "PartialCredentialsError",
                "InvalidEndpointConfigurationError",
                "MalformedError",
                "InvalidResource",
            )
        ),
        "The call to the store is not valid.",
        "Correct region, profile, names or the credentials file.",
        since=_SINCE,
    ),
    fatal(
        "google-credentials-refused",
        When(
            type=("google.api_core.exceptions.Unauthenticated",),
            unless=r"rate|quota|throttl|temporar|limit exceeded|being deleted|try operation later|try again",
        ),
        "Google takes these credentials for no account's: they are missing, ended, or of another kind than the service wants.",
        "Give the process a service account (workload identity, or GOOGLE_APPLICATION_CREDENTIALS).",
        since="2026-11-27",
    ),
    fatal(
        "google-or-azure-says-no",
        When(
            type=(
                "google.api_core.exceptions.InvalidArgument",
                "google.api_core.exceptions.BadRequest",
                "NoSuchBucket",
            ),
            unless=r"rate|quota|throttl|temporar|limit exceeded|being deleted|try operation later|try again",
        ),
        "The service refuses the request as it is.",
        "Correct the name or the parameters that the message names in the model's configuration.",
        since=_SINCE,
    ),
    ambiguous(
        "google-or-azure-not-found",
        When(
            type=(
                "google.api_core.exceptions.NotFound",
                "azure.core.exceptions.ResourceNotFoundError",
                "NoSuchKey",
            ),
            unless=r"rate|quota|throttl|temporar|limit exceeded|being deleted|try operation later|try again",
        ),
        f"The store does not have what is asked for. {UNLESS_A_JOB_MAKES_IT}",
        f"Correct the name, or upload the object. {TRIED_UNTIL_THEN}",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
)
