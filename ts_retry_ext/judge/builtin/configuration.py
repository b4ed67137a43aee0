"""Configuration that doesn't hold: JSON, YAML, validation."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.builtin.words import ENVIRONMENT_TYPES, NETWORK_MODULES
from ts_retry_ext.judge.rule import When

_SINCE = "2026-11-23"
_JSON = ("json.decoder.JSONDecodeError", "JSONDecodeError", "simplejson.errors.JSONDecodeError")

RULES = (
    ambiguous(
        "json-of-a-service",
        When(type=_JSON, frame=NETWORK_MODULES),
        "A service answered with something that isn't JSON.",
        "Look at what the service answers.",
        since=_SINCE,
    ),
    ambiguous(
        "json-of-a-service-by-type",
        When(type=("requests.exceptions.JSONDecodeError", "ContentTypeError")),
        "A service answered with something that isn't JSON.",
        "Look at what the service answers.",
        since=_SINCE,
    ),
    fatal(
        "json-damaged",
        When(
            type=_JSON,
            # json.load reads a file; what json.loads was given can be a service's answer.
            frame=(
                "json.load",
                "ts.torch_handler",
                "base_handler",
                "transformers",
                "diffusers",
                "sentence_transformers",
                "configuration_utils",
            ),
            unless_type=("ConnectionError", "Timeout", "TimeoutError"),
        ),
        "A JSON file of the model isn't valid, or is empty.",
        "Correct the file and pack the archive again.",
        since=_SINCE,
    ),
    fatal(
        "json-damaged-inside",
        When(
            type=_JSON,
            message=r"line (?:[2-9]|\d\d+) column|line 1 column (?:[2-9]|\d\d+)|extra data|unterminated string|delimiter|property name|control character|escape|bom",
            unless_type=("ConnectionError", "Timeout", "TimeoutError"),
        ),
        "A JSON file of the model isn't valid.",
        "Correct the file and pack the archive again.",
        since=_SINCE,
    ),
    fatal(
        "json-not-valid-text",
        When(
            message=any_of(r"""
                it looks like the config(?:uration)? file .{1,300} is not a valid json|is not a valid json file|not valid json
                invalid json|failed to parse (?:json|config|yaml)|error parsing (?:config|json|yaml)
                malformed (?:json|yaml|config)
            """)
        ),
        "A configuration file of the model isn't valid.",
        "Correct the file and pack the archive again.",
        since=_SINCE,
    ),
    fatal(
        "yaml-damaged",
        When(
            type=(
                "yaml.YAMLError",
                "YAMLError",
                "ScannerError",
                "ParserError",
                "ConstructorError",
                "ComposerError",
                "yaml.reader.ReaderError",
                "MarkedYAMLError",
            ),
            unless_type=ENVIRONMENT_TYPES,
        ),
        "A YAML file of the model isn't valid.",
        "Correct the file and pack the archive again.",
        since=_SINCE,
    ),
    fatal(
        "yaml-damaged-text",
        When(
            message=any_of(r"""
                mapping values are not allowed here|could not find expected ':'
                while (?:parsing|scanning) (?:a|an|for) .{1,60} in \"|found character '\\\\t'
                could not determine a constructor for the tag
            """)
        ),
        "A YAML file of the model isn't valid.",
        "Correct the file and pack the archive again.",
        since=_SINCE,
    ),
    fatal(
        "validation-error",
        When(
            message=any_of(r"""
                # pydantic
                \b\d{1,6} validation errors? for|\[type=\w+, input_value=|field required|extra inputs are not permitted
                input should be|value_error\.|type_error\.
                # jsonschema
                is not of type '|is a required property|is not one of \[|additional properties are not allowed|failed validating
                does not match any of the regexes
                # huggingface_hub
                validation failed for|strictdataclassfieldvalidationerror
            """)
        ),
        "A configuration value isn't allowed.",
        "Correct the value that the message names.",
        since=_SINCE,
    ),
    fatal(
        "environment-variable-named",
        When(
            message=any_of(r"""
                # The variable comes first
                environment variables? ['\"`$]?[\w, '\"`$]{1,120} (?:is |are |was |were |must be |has to be |isn't |aren't )?(?:not |un|invalid|missing|required|set\b|defined|empty)
                \b[A-Z][A-Z0-9_]{3,60} (?:environment variable|env var) (?:is |was )?(?:not|must|required|missing)
                # The demand comes first
                (?:set|define|missing|provide|export) (?:the |an? |your )?(?:required |following )?env(?:ironment)?[ _]?var(?:iable)?s?
                must set (?:the )?\$?\w+ env
            """),
            unless_type=ENVIRONMENT_TYPES,
            unless=any_of(r"""
                cuda_launch_blocking|pytorch_cuda_alloc_conf|nccl_|hydra_full_error|torch_use_cuda_dsa|timed out|time-?out
                connection|retr(?:y|ies)|increase|for more|more information
                variables? \$?\w+ ?(?:=\w+ )?to (?:disable|avoid|enable|suppress|debug|see|get|change|allow)
            """),
        ),
        "An environment variable that the code reads isn't set, or isn't valid.",
        "Set it for TorchServe's process; it passes its environment to the workers.",
        since=_SINCE,
    ),
    fatal(
        "xml-damaged",
        When(
            type=("xml.etree.ElementTree.ParseError", "XMLSyntaxError", "ExpatError"),
            message=r"not well-formed|mismatched tag|undefined entity|junk after|xml declaration|unclosed",
            unless_frame=NETWORK_MODULES,
        ),
        "An XML file of the model isn't valid.",
        "Correct the file and pack the archive again.",
        since=_SINCE,
    ),
    fatal(
        "spacy-error",
        When(
            message=r"^\[e\d{3,4}\] ",
            unless=r"e050\]|timed out|connection|busy|cannot allocate",
        ),
        "spaCy refuses the pipeline, its configuration or its files; the number says why.",
        "Install the pipeline and spaCy in versions that fit, or correct the configuration.",
        since=_SINCE,
    ),
    fatal(
        "configuration-key-missing",
        When(
            type=(
                "ConfigAttributeError",
                "ConfigKeyError",
                "MissingMandatoryValue",
                "NoOptionError",
                "NoSectionError",
                "MissingSectionHeaderError",
                "DuplicateOptionError",
                "ConfigCompositionException",
                "MissingConfigException",
                "InstantiationException",
                "OverrideParseException",
                "TomlDecodeError",
                "TOMLDecodeError",
                "UndefinedValueError",
                "ImproperlyConfigured",
                "ArgumentError",
                "SchemaError",
                "MarshmallowError",
                "InterpolationKeyError",
                "UsageError",
                "HFValidationError",
                "PydanticUserError",
                "PydanticImportError",
                "PydanticUndefinedAnnotation",
                "PydanticSchemaGenerationError",
                "pydantic.errors.ConfigError",
                "EnvError",
                "EnvValidationError",
                "UnsupportedInterpolationType",
                "InterpolationResolutionError",
                "HydraException",
                "fastapi.exceptions.FastAPIError",
                "ZoneInfoNotFoundError",
                "locale.Error",
                "google.protobuf.text_format.ParseError",
                "google.protobuf.json_format.ParseError",
                "TemplateNotFound",
                "TemplateSyntaxError",
                "jinja2.exceptions.UndefinedError",
            ),
        ),
        "The configuration lacks a key, or holds one that isn't allowed.",
        "Correct the key that the message names.",
        since=_SINCE,
    ),
)
