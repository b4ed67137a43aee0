"""Tensors that do not fit each other, and models that are spread over devices or processes."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import fatal
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.verdict import Scope

ABOUT_WEIGHTS = True
_SINCE = "2026-11-23"

RULES = (
    fatal(
        "cuda-in-forked-process",
        When(message=r"cannot re-initialize cuda in forked subprocess|fork .{0,40}start method"),
        "CUDA was used before the process forked.",
        "Use the 'spawn' start method.",
        since=_SINCE,
    ),
    fatal(
        "tensor-shapes-do-not-fit",
        When(
            message=any_of(r"""
                is invalid for input of size|does not broadcast|could not be broadcast|mat1 and mat2 shapes|shapes cannot be multiplied
            """),
        ),
        "The shapes of two tensors do not fit each other: {shapes|the message names them}.",
        "Compare the sizes of the layers with the configuration that the weights were made with, and the sample input of the "
        "handler with what the model takes.",
        since="2026-11-27",
    ),
    fatal(
        "index-beyond-the-table",
        When(
            message=any_of(r"""
                ^index out of range in self
            """),
        ),
        "An embedding is asked for an index that its table does not have: the tokenizer and the model are of different "
        "vocabularies, or the input is too long for the positions.",
        "Pack the tokenizer that belongs to the model, resize the embeddings (resize_token_embeddings), or cut the input to max_position_embeddings.",
        since="2026-11-27",
    ),
    fatal(
        "tensor-types-do-not-fit",
        When(
            message=any_of(r"""
                only tensors of floating point|input type .{0,80}and (?:weight|bias) type .{0,60}should be the same
                scalar types?:|expected (?:scalar type|m1 and m2|mat1 and mat2|query, key|self and mat2|input to have)
                must have the same dtype|same dtype, but got
                but (?:got|found) (?:scalar )?(?:type )?(?:float|half|bfloat16|double|long|int)\b|found dtype
                cannot be (?:cast|converted)|result type .{0,40}can't be cast|expected object of scalar type
            """),
        ),
        "Two tensors of one operation have different types of numbers, or a type that the operation does not take.",
        "Give model and input one dtype (model.half() with input.half(), or torch_dtype of from_pretrained); indexes have to be long.",
        since="2026-11-27",
    ),
    fatal(
        "tensors-on-two-devices",
        When(
            message=any_of(r"""
                # Devices
                expected all tensors to be on the same device|expected object of device type
                tensors? (?:is|are) on different devices|module must have its parameters and buffers on device
                # Several
                mat1 and mat2
            """)
        ),
        "The tensors of one operation lie on different devices.",
        "Move the model, its buffers and the input to one device (.to(self.device)); with device_map, give the input the device of the first layer.",
        since=_SINCE,
    ),
    fatal(
        "nccl-misused",
        When(
            message=r"duplicate gpu detected|ncclinvalidusage|nccl.{0,60}invalid usage|ncclinvalidargument"
        ),
        "Two ranks of one model were given the same GPU.",
        "Correct CUDA_VISIBLE_DEVICES or the number of processes per model.",
        since=_SINCE,
        scope=Scope.DEVICE,
    ),
    fatal(
        "distributed-not-configured",
        When(
            message=any_of(r"""
                environment variable \w+ expected, but not set|default process group has not been initialized
                no backend type associated|init_process_group|unknown (?:c10d )?backend|distributed package doesn't have
            """)
        ),
        "Distributed loading is asked for, but the process group is not set up.",
        "Set parallelType and parallelLevel in model-config.yaml, or load without distribution.",
        since=_SINCE,
    ),
    fatal(
        "engine-lacks-architecture",
        When(
            message=any_of(r"""
                model architectures? .{0,200}not supported|no model architectures are specified
            """),
        ),
        "The engine does not know the architecture that config.json of the model names, or it names none.",
        "Update the engine to a version that has it, or serve the model with another (transformers); if config.json has no "
        "architectures, pack the right one.",
        since="2026-11-27",
    ),
    fatal(
        "engine-length-too-large",
        When(
            message=any_of(r"""
                greater than the derived max_model_len|max_model_len .{0,100}(?:greater|larger|exceeds|too large)
            """),
        ),
        "max_model_len is larger than the length that the model was made for.",
        "Lower max_model_len to what the message derives from config.json, or set rope scaling for a longer one on purpose.",
        since="2026-11-27",
    ),
    fatal(
        "engine-parallel-size-unfit",
        When(
            message=any_of(r"""
                (?:attention heads|num_heads|vocab size|hidden size).{0,80}(?:divisible|multiple)|mpisize == tp \* pp
                number of (?:mpi )?ranks .{0,60}(?:does not match|must equal|differs)
            """),
        ),
        "The model cannot be cut into as many parts as it is to be spread over.",
        "Choose a tensor_parallel_size that divides the numbers that the message names, and build and start the engine with the same one.",
        since="2026-11-27",
    ),
    fatal(
        "engine-configuration",
        When(
            message=any_of(r"""
                # VLLM and SGLang
                does not support (?:lora|embeddings|multi-?modal|pipeline|tensor parallel|task|chunked)
                not supported by (?:the )?(?:v1|v0|current) engine
                unknown (?:load|attention|model|kv cache|scheduler) (?:format|backend|type|dtype)
                unsupported (?:kv|dtype|model|activation|head size|rope|architecture[:'\"])|head size .{0,30}not supported
                rope_scaling|invalid (?:attention|kv_cache|tensor_parallel)
                (?:head|dim|hidden|channel|embed|width|height|size|group|batch|rank|expert|layer)\w*\b.{0,60}must be (?:divisible|a multiple|a power)
                must be (?:divisible|a multiple|a power).{0,60}\b(?:head|dim|hidden|channel|size|group|parallel|rank|expert)
                # TensorRT-LLM
                chunked prefill|block size .{0,40}(?:not|must)
            """),
        ),
        "The engine's configuration does not fit the model or this version of the engine.",
        "Correct the setting the message names, or update the engine.",
        since=_SINCE,
    ),
)
