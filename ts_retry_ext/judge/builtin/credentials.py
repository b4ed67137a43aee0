"""Credentials of clouds and stores: not found, expired, refused, or late from a metadata service."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, curable, fatal
from ts_retry_ext.judge.builtin.words import TRIED_UNTIL_THEN, UNLESS_A_JOB_MAKES_IT
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"

_VAULT_TYPES = (
    "hvac.exceptions.VaultError",
    "hvac.exceptions.InvalidRequest",
    "hvac.exceptions.Unauthorized",
    "hvac.exceptions.Forbidden",
)

FATAL_IN_DISGUISE = (
    fatal(
        "vault-login-refused",
        # The texts of Vault's own auth methods: AppRole, userpass and LDAP, Kubernetes, token.
        When(
            type=_VAULT_TYPES,
            message=any_of(r"""
                invalid (?:role|secret)[ _]id|invalid role or secret[ _]id|invalid username or password
                service account name not authorized|^namespace not authorized|missing client token
            """),
            unless=r"try again|temporar|timed? ?out|standby|sealed",
        ),
        "Vault refuses this login.",
        "Renew the role ID and the secret ID, or the user and the password, that the model is given; check with vault write "
        "auth/…/login on this host.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    ambiguous(
        "vault-forbids-without-reason",
        When(type=("hvac.exceptions.Forbidden",), message=r"permission denied"),
        "Vault says permission denied, and no reason: a token that has ended, a policy that lacks this path, or a login whose "
        "role was changed a moment ago.",
        "Look the token up (vault token lookup), and give its policy the right to read this path.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    ambiguous(
        "vault-has-nothing-there",
        When(type=("hvac.exceptions.InvalidPath",)),
        f"Vault has no secret or no engine at this path. {UNLESS_A_JOB_MAKES_IT}",
        f"Correct mount point and path (version 2 of the engine has data/ in it), or write the secret. {TRIED_UNTIL_THEN}",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    fatal(
        "login-by-a-person-needed",
        When(
            message=any_of(r"""
                # AWS SSO
                from sso: token has expired and refresh failed|sso session associated with this profile (?:has expired|is)
                run aws sso login|loading sso token.{0,40}(?:failed|error)|error loading sso token
                # Google
                reauthentication (?:is|was|has been)? ?(?:needed|required|failed)
                run.{0,20}gcloud auth (?:application-default )?login
                # Azure
                please run .{0,4}az login|interactive authentication is (?:needed|required)
            """),
            unless=r"could not automatically determine|default credentials were not found|no credentials|chainedtoken|defaultazurecredential",
        ),
        "The credentials are a person's login, and it has ended.",
        "Log in again on this host, or give the process a role or a service account.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "credentials-not-configured",
        When(
            exact_type=("CredentialUnavailableError",),
            where="outermost",
            message=r"^environmentcredential authentication unavailable",
        ),
        "Credentials are expected in environment variables, and they are not set.",
        "Set AZURE_CLIENT_ID, AZURE_TENANT_ID and a secret or certificate, or use a managed identity.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "credentials-profile-missing",
        When(
            # botocore; the text is what other tools print of it.
            type=("botocore.exceptions.ProfileNotFound",),
        ),
        "The AWS profile that is configured stands in no configuration file of this process.",
        "Correct AWS_PROFILE, or mount the files that have it (~/.aws, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE).",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    ambiguous(
        "credentials-file-missing-in-shared-place",
        When(
            type=("DefaultCredentialsError",),
            message=r"^\W{0,4}file .{1,400} was not found",
            path="shared",
        ),
        "The file with credentials is not there; it lies in a place that may be mounted later.",
        "Correct GOOGLE_APPLICATION_CREDENTIALS, or see to it that the secret is mounted.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "credentials-file-unusable",
        When(
            type=(
                "DefaultCredentialsError",
                "MalformedError",
                "google.auth.exceptions.GoogleAuthError",
            ),
            message=any_of(r"""
                file .{1,400} was not found|is not a valid json file|does not have a valid type
                failed to load .{1,80} credentials from|missing fields|was not in the expected format
                could not be (?:parsed|decoded)|no key could be detected
            """),
        ),
        "The file with credentials that is configured is not there or is not one.",
        "Correct GOOGLE_APPLICATION_CREDENTIALS: it holds the path of a key file in JSON.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "metadata-without-account",
        When(
            message=r"(?:metadata\.google\.internal|169\.254\.169\.254|compute engine metadata).{0,300}status: 40[0-4]"
        ),
        "The host's metadata service is there and gives this process no account; a new binding takes its time.",
        "Attach a service account to the instance, or bind one to the pod (workload identity).",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "metadata-host-unknown",
        When(
            message=r"metadata\.google\.internal.{0,400}(?:name or service not known|nodename nor servname|errno -2\b)"
        ),
        "The metadata service's name is not known here: not a host of this cloud, or its DNS is not ready.",
        "Outside of Google's cloud, give GOOGLE_APPLICATION_CREDENTIALS.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    fatal(
        "credentials-incomplete",
        When(exact_type=("PartialCredentialsError",)),
        "Only a part of the credentials is set.",
        "Set the variables or keys that the message names.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "role-not-assumable-yet",
        When(
            message=any_of(r"""
                \(accessdenied\) when calling the assumerole\w* operation|not authorized to perform:? sts:assumerole
                iam\.serviceaccounts\.getaccesstoken|unable to generate access token
            """),
            unless=r"no openidconnect provider|incorrect token audience|couldn.t retrieve verification key|throttl|rate exceeded|unavailable|time[d ]{0,2}out",
        ),
        "The role cannot be taken on: its trust lacks this process, or was changed a moment ago.",
        "Check the role's trust policy and the binding of the service account; changes take minutes.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    ambiguous(
        "identity-provider-unknown",
        When(
            message=r"no openidconnect provider found|incorrect token audience|aadsts7002[01]\d{0,2}\b|no matching federated identity"
        ),
        "The account does not know the identity provider that signed the pod's token, or was told of it a moment ago.",
        "Create the OIDC provider in the account (IRSA), with the audience sts.amazonaws.com.",
        since="2026-11-25",
        scope=Scope.HOST,
    ),
    ambiguous(
        "credentials-expired",
        When(
            message=any_of(r"""
                expiredtoken|expired ?token|token (?:included in the request |provided )?(?:is|has) expired|requestexpired
                credentials (?:have|has|are|were)? ?(?:still )?expired|but the refreshed credentials are still expired
                the sso session|token has expired and refresh failed
            """),
            unless=r"huggingface|invalid_grant",
        ),
        "The credentials have expired; a refresh may be under way.",
        "Give the process credentials that renew themselves (a role), or new ones.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
    curable(
        "metadata-service-in-trouble",
        When(
            message=any_of(r"""
                (?:169\.254\.169\.254|169\.254\.170\.2|metadata\.google\.internal|imds|metadata (?:server|service|endpoint)| \
                compute engine metadata).{0,300}(?:\b50\d\b|\b429\b)
            """),
        ),
        "The host's metadata service, which gives the credentials, answers that it is in trouble or asked too often.",
        "Nothing to repair in the model; look at the metadata service of this cloud on the node (GKE: the pod "
        "gke-metadata-server; EKS: the pod identity agent) if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "google-metadata-service-slow",
        When(
            message=any_of(r"""
                (?:metadata\.google\.internal|compute engine metadata).{0,300}(?:time|unavailable|unreachable|refused|reset|max retries|failed|no route)
                failed to retrieve http://metadata
            """),
        ),
        "Google's metadata service of this host, which gives the credentials, did not answer, or not in time.",
        "Nothing to repair in the model; look at the metadata server of the node (GKE with workload identity: the pod "
        "gke-metadata-server, and network policies) if it goes on.",
        since="2026-11-27",
    ),
    curable(
        "credentials-source-slow",
        When(
            message=any_of(r"""
                # botocore
                (?:error when )?retrieving (?:credentials|metadata).{0,300}(?:time|connect|refused|unreachable|50\d|max retries|throttl)
                # Metadata services of AWS and Google
                (?:169\.254\.169\.254|169\.254\.170\.2|metadata\.google\.internal|imds|metadata (?:server|service|endpoint)| \
                compute engine metadata).{0,300}(?:time|unavailable|unreachable|refused|reset|max retries|failed|no route)
            """)
        ),
        "The host's metadata service, which gives the credentials, did not answer in time.",
        "Nothing to repair in the model; look whether this host or pod can reach the metadata service (AWS in a container: hop "
        "limit 2 for IMDSv2) if it goes on.",
        since=_SINCE,
    ),
    ambiguous(
        "aws-credentials-not-found",
        When(
            message=any_of(r"""
                # botocore
                unable to locate credentials|nocredentialserror
            """),
        ),
        "The client of AWS found no credentials: none are set, or the service that gives them (a role of the instance, the pod "
        "or the task) was late.",
        "Give the pod or the instance a role (IRSA, pod identity, an instance profile), or set AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY for TorchServe's process; aws sts get-caller-identity in the container shows what is found.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    ambiguous(
        "google-credentials-not-found",
        When(
            message=any_of(r"""
                could not automatically determine credentials|your default credentials were not found|anonymous caller
            """),
        ),
        "Google's client found no credentials: none are set, or the metadata service that gives them was late.",
        "Bind a service account to the pod (workload identity) or to the instance, or set GOOGLE_APPLICATION_CREDENTIALS to a mounted key file.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    ambiguous(
        "azure-credentials-not-found",
        When(
            message=any_of(r"""
                defaultazurecredential failed|environmentcredential authentication unavailable|managedidentitycredential
                no managed identity endpoint|chainedtokencredential
            """),
        ),
        "None of the ways in which Azure's client looks for credentials gave any: none is set up, or the one that is was late.",
        "Set up one of them: a managed identity (with AZURE_CLIENT_ID if it is not the only one), workload identity, or "
        "AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET. The message says of each why it failed.",
        since="2026-11-27",
        scope=Scope.HOST,
    ),
    ambiguous(
        "credentials-not-found",
        When(
            message=any_of(r"""
                # botocore, several clients
                partial credentials|no credentials|could not load credentials|credentials? (?:could not be|not|cannot be) (?:found|located|loaded)
            """)
        ),
        "No credentials were found; the service that gives them to this host may have been late.",
        "Give the process a role or credentials; check that the metadata service is reachable.",
        since=_SINCE,
        scope=Scope.HOST,
    ),
)
