"""Configuration that does not hold: JSON, YAML, validation."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.builtin.words import ENVIRONMENT_TYPES, NETWORK_MODULES
from ts_retry_ext.judge.damaged_file import JSON, XML, YAML
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

CAUSE_LIES_OUTSIDE = True
_SINCE = "2026-11-23"
_JSON = ("json.decoder.JSONDecodeError", "JSONDecodeError", "simplejson.errors.JSONDecodeError")

FATAL_IN_DISGUISE = (
    fatal(
        "asked-on-a-terminal",
        # The text is that of input(); getpass and click open the terminal itself.
        When(
            type=("EOFError", "OSError", "termios.error"),
            message=r"^eof when reading a line$|^\(25, 'inappropriate ioctl for device|no such device or address: ['\"]?/dev/tty",
            unless_frame=NETWORK_MODULES,
        ),
        "The code asks somebody on a terminal, and a worker has none.",
        "Answer beforehand, by the option or the variable of the library that asks: the consent to a license (COQUI_TOS_AGREED=1), a key or a token "
        "(WANDB_API_KEY, HF_TOKEN), yes to a download. Or pack what it would fetch.",
        since="2026-11-26",
    ),
)

RULES = (
    ambiguous(
        "json-of-a-service",
        When(type=_JSON, frame=NETWORK_MODULES),
        "A service answered with something that is not JSON.",
        "Look at what the service answers.",
        since=_SINCE,
    ),
    ambiguous(
        "json-of-a-service-by-type",
        When(type=("requests.exceptions.JSONDecodeError", "ContentTypeError")),
        "A service answered with something that is not JSON.",
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
        "A JSON file of the model is not valid, or is empty.",
        "Correct {path|the file} and pack the archive again.",
        since=_SINCE,
        damaged_file=JSON,
    ),
    fatal(
        "json-damaged-inside",
        When(
            type=_JSON,
            # Services answer in one line, which can be cut or come twice; a file that people write has several
            # lines, and no program writes a trailing comma or a quote of its own.
            message=r"(?:delimiter|extra data).{0,40}line (?:[2-9]|\d\d+) column|property name|trailing comma|control character|\\escape|\bbom\b",
            unless_type=("ConnectionError", "Timeout", "TimeoutError"),
        ),
        "A JSON text is not valid, in a way in which people write it and programs do not.",
        "Correct {path|the file} at the line and column that the message names, and pack it again.",
        since=_SINCE,
        damaged_file=JSON,
    ),
    fatal(
        "json-not-valid-text",
        When(
            message=any_of(r"""
                # transformers, diffusers
                it looks like the config(?:uration)? file .{1,300} is not a valid json
                # several, of a file that they name
                ['\"/][\w./\-]{1,200}\.(?:json|ya?ml|toml)['\"]? (?:is not (?:a )?valid|isn't (?:a )?valid|is malformed)
                (?:failed to parse|error (?:parsing|while parsing)|malformed|invalid) (?:the )?(?:json|yaml|config\w*) (?:file )?['\"]?[\w./\-]{0,200}\.(?:json|ya?ml|toml)
            """)
        ),
        "A configuration file of the model is not valid.",
        "Correct {path|the file} and pack the archive again.",
        since=_SINCE,
        damaged_file=JSON,
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
        "A YAML file of the model is not valid.",
        "Correct {path|the file} and pack the archive again.",
        since=_SINCE,
        damaged_file=YAML,
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
        "A YAML file of the model is not valid.",
        "Correct {path|the file} and pack the archive again.",
        since=_SINCE,
        damaged_file=YAML,
    ),
    ambiguous(
        "answer-not-as-expected",
        When(
            message=any_of(r"""
                # pydantic names the class that the data was read into
                \d{1,6} validation errors? for [\w\[\].]{0,80}(?:response|answer|reply|result|output|prediction|message|event|page|item|row|record)s?\b
                # pydantic shows the data: a text of a service, or its word for an error
                input_value=.{0,40}(?:<html|<!doctype|error|detail|message)
                \[type=(?:json_invalid|json_type), input_
            """)
        ),
        "What a service answered does not have the form that the code expects.",
        "Look at what the service answers, and at its version.",
        since="2026-11-26",
        scope=Scope.HOST,
    ),
    fatal(
        "settings-not-set",
        # pydantic-settings: type=missing stands behind each of them
        When(
            message=r"validation errors? for .{1,200}\[type=missing,", frame=("pydantic_settings",)
        ),
        "Settings that the model needs are not set: those with type=missing in the message.",
        "Set them in the environment of TorchServe's process, with the prefix that the class asks for (env_prefix), or in the file that it reads.",
        since="2026-11-27",
    ),
    fatal(
        "configuration-value-not-allowed",
        When(
            message=any_of(r"""
                # pydantic, of a class that holds settings
                \d{1,6} validation errors? for [\w\[\].]{0,80}(?:config|configuration|settings|args|arguments|params|parameters|options|spec|schema)\b
            """)
        ),
        "A configuration value is not allowed.",
        "Correct the value that the message names; a setting may come from an environment variable.",
        since="2026-11-26",
        though_it_says_retry=True,
    ),
    fatal(
        "settings-not-allowed",
        When(
            type=("ValidationError",),
            frame=("pydantic_settings", "omegaconf", "hydra", "transformers", "vllm", "sglang"),
            unless_frame=NETWORK_MODULES,
        ),
        "A configuration value is not allowed.",
        "Correct the value that the message names; a setting may come from an environment variable.",
        since="2026-11-26",
    ),
    fatal(
        "model-configuration-not-allowed",
        When(
            message=any_of(r"""
                # huggingface_hub: a field of config.json
                strictdataclass\w{0,40}error|validation error for field '\w{1,80}':|validation failed for field
            """)
        ),
        "A value in the model's config.json is not allowed by the installed library.",
        "Correct the field that the message names, or install the version that wrote the file.",
        since="2026-11-26",
    ),
    fatal(
        "schema-not-met",
        When(
            type=(
                "jsonschema.exceptions.ValidationError",
                "jsonschema.ValidationError",
                "jsonschema.exceptions.SchemaError",
                "schema.SchemaError",
                "voluptuous.error.MultipleInvalid",
            ),
            unless_frame=NETWORK_MODULES,
            unless_type=ENVIRONMENT_TYPES,
        ),
        "A configuration does not follow its schema.",
        "Correct the value that the message names.",
        since="2026-11-26",
    ),
    ambiguous(
        "validation-error",
        When(
            message=any_of(r"""
                # pydantic
                \d{1,6} validation errors? for|\[type=\w+, input_value=|field required|extra inputs are not permitted
                input should be|value_error\.|type_error\.
                # jsonschema
                is not of type '|is a required property|is not one of \[|additional properties are not allowed|failed validating
                does not match any of the regexes
            """)
        ),
        "Data does not have the form that the code expects: a configuration, or what a service answered.",
        "Find out where the data comes from: correct a configuration; look at the service's answer otherwise.",
        since=_SINCE,
    ),
    fatal(
        "tesseract-language-missing",
        When(
            message=r"error opening data file .{1,300}\.traineddata|failed loading language '|couldn't load any languages"
        ),
        "Tesseract does not have the data of a language that the model asks for: {path|a file with the ending .traineddata}.",
        "Install the package of that language (apt-get install tesseract-ocr-LANGUAGE), or put its .traineddata file there; set TESSDATA_PREFIX only "
        "if the data lies elsewhere.",
        since="2026-11-27",
        scope=Scope.HOST,
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
        "An environment variable that the code reads is not set, or is not valid.",
        "Set {variable|it} for TorchServe's process; it passes its environment to the workers.",
        since=_SINCE,
    ),
    fatal(
        "xml-damaged",
        When(
            type=("xml.etree.ElementTree.ParseError", "XMLSyntaxError", "ExpatError"),
            message=r"not well-formed|mismatched tag|undefined entity|junk after|xml declaration|unclosed|no element found|syntax error: line",
            unless_frame=NETWORK_MODULES,
        ),
        "An XML file of the model is not valid.",
        "Correct {path|the file} and pack the archive again.",
        since=_SINCE,
        damaged_file=XML,
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
        "configuration-folder-missing",
        When(type=("hydra.errors.MissingConfigException",)),
        "Hydra does not find the folder or the file of its configuration.",
        "Pack it with --extra-files, and give Hydra its absolute path: the folder of the model, from context.system_properties['model_dir'].",
        since="2026-11-26",
    ),
    fatal(
        "configuration-key-unknown",
        # yacs, which detectron2 and fvcore build on.
        When(type=("KeyError",), message=r"^['\"]non-existent config key: "),
        "The configuration sets a key that the installed library does not define.",
        "Add the project's own keys to the configuration before the file is merged (its add_…_config function), "
        "remove the key that the message names, or install the version that defines it.",
        since="2026-11-27",
    ),
    fatal(
        "configured-class-missing",
        # Hydra
        When(
            type=("hydra.errors.InstantiationException",),
            message=r"error (?:locating target|loading) '",
        ),
        "The configuration names a class or function, _target_, that the installed library does not have.",
        "Install the version of the library that wrote the configuration or the checkpoint, or correct _target_ at the key that the message names.",
        since="2026-11-27",
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
                "jsonschema.exceptions.SchemaError",
                "schema.SchemaError",
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
        "The configuration lacks a key, or holds one that is not allowed.",
        "Correct the key that the message names.",
        since=_SINCE,
    ),
)
