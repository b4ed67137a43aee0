"""What transformers, diffusers and PEFT say of a model that they do not know, or may not run."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.rule import When

ABOUT_WEIGHTS = True
_SINCE = "2026-11-23"

RULES = (
    fatal(
        "code-of-repository-not-trusted",
        When(
            message=r".trust_remote_code=true|trust_remote_code|contains custom code|execute the (?:configuration|modeling|model) file|trust remote code"
        ),
        "The repository brings code of its own, and the library does not run it unless told so.",
        "Read that code; if you trust it, pass trust_remote_code=True and pin the revision.",
        since="2026-11-26",
        though_it_says_retry=True,
    ),
    fatal(
        "adapter-does-not-fit-its-base",
        When(
            # PEFT: `Please check the target modules and try again` is said to whoever wrote the configuration.
            message=any_of(r"""
                please specify .?target_modules|target modules .{1,1000} not found in the base model
                no modules were targeted for adaptation|\btarget module .{1,1000} is not supported\. currently, only the following modules
            """)
        ),
        "The adapter names layers that the base model does not have, or that cannot carry it.",
        "Load the adapter on the base model it was trained for, or correct target_modules in adapter_config.json.",
        since="2026-11-26",
        though_it_says_retry=True,
    ),
    fatal(
        "pipeline-part-missing",
        # diffusers
        When(
            message=r"^pipeline <class '.{1,300}'> expected \{.{1,1000}\}, but only \{.{0,1000}\} were passed"
        ),
        "The folder of the pipeline holds fewer parts than its class needs.",
        "Pack each folder that the message expects and that was not passed, or load the class that model_index.json names.",
        since="2026-11-27",
    ),
    fatal(
        "attention-not-available",
        When(
            message=any_of(r"""
                does not support an attention implementation|does not support flash attention|flash attention 2|flashattention2
                flash_attn.{0,40}(?:not|seems)|attn_implementation|flash ?attention(?:-?\d)? only supports
            """)
        ),
        "The kind of attention that is asked for is not there: its package is not installed, or the model or card lacks it.",
        "Install flash-attn for this torch and card, or pass attn_implementation='sdpa' (or 'eager').",
        since="2026-11-26",
    ),
    fatal(
        "model-newer-than-the-library",
        When(
            message=r"but transformers does not recognize|does not recognize this architecture|should have a .?model_type.? key"
        ),
        "The installed transformers does not know this type of model, or config.json does not name one.",
        "Update transformers to a version that knows the model; if config.json has no model_type, pack the right one.",
        since="2026-11-26",
    ),
    fatal(
        "pipeline-task-unknown",
        When(
            message=any_of(r"""
                unknown task .{1,60}, available tasks|task .{0,60}is not supported|invalid (?:translation )?task,? |you are trying to access .{0,60}pipeline
            """),
        ),
        "The installed transformers has no pipeline for the task that is named.",
        "Correct the task's name (the message lists those that are there), or update transformers.",
        since="2026-11-27",
    ),
    fatal(
        "weights-placement-needs-more",
        When(
            message=any_of(r"""
                low_cpu_mem_usage|or a .?device_map.?.{0,20}requires|please provide an .?offload_folder|does not support .?device_map
            """),
        ),
        "The weights are to be placed by device_map or low_cpu_mem_usage, and what that needs is missing: accelerate, a folder "
        "to offload to, or the model's support for it.",
        "Install accelerate, pass offload_folder, or leave device_map out and move the model with .to(device); the message says which.",
        since="2026-11-27",
    ),
    fatal(
        "transformers-model-type-unknown",
        When(
            message=any_of(r"""
                # Classes and tasks
                unrecognized (?:model|configuration class|image processor|feature extractor|processing class|tokenizer)
                should have a .?model_type.? key|but transformers does not recognize|has no attribute .{0,40}from_pretrained
                unrecognized configuration|is not in the supported
                # Attention
                does not support an attention implementation|does not support flash attention
                flash attention 2|flashattention2|flash_attn.{0,40}(?:not|seems)|attn_implementation|rope_scaling
                # Code of a repository
                .trust_remote_code=true|trust_remote_code|contains custom code|execute the (?:configuration|modeling|model) file
                trust remote code|.?config_class.? attribute that is not consistent
                # Several
                unable to determine this model's library|is not supported yet|impossible to guess which tokenizer
            """)
        ),
        "The installed library does not know this model, or is not allowed to run its code.",
        "Update the library, or pass what the message asks for (trust_remote_code for code you trust).",
        since=_SINCE,
    ),
    ambiguous(
        "model-partly-off-device",
        When(message=r"some modules are dispatched on the cpu"),
        "The model does not fit into the device memory that was free.",
        "Free the device, allow offloading, or use a smaller dtype.",
        since=_SINCE,
    ),
)
