"""Which keys of config.json a builder follows, and which change no row; any other may, so it is refused."""

from collections.abc import Collection, Mapping
from typing import Any

from colibri.errors import ExportError

# What transformers' configurations hold beside the network: names, training, tokens, heads of tasks, generation.
_HARMLESS = """
    _attn_implementation_autoset _commit_hash _name_or_path _num_labels architectures attention_dropout
    attention_probs_dropout_prob attn_implementation auto_map bad_words_ids begin_suppress_tokens bert_model_name
    bos_token_id chunk_size_feed_forward classifier_activation classifier_bias classifier_dropout classifier_pooling
    cls_token_id colbert_dim decoder_bias decoder_start_token_id deterministic_flash_attn directionality
    diversity_penalty do_sample dtype early_stopping embedding_dropout encoder_no_repeat_ngram_size eos_token_id
    exponential_decay_length_penalty finetuning_task forced_bos_token_id forced_eos_token_id gradient_checkpointing
    hidden_dropout_prob id2label initializer_cutoff_factor initializer_factor initializer_range label2id layerdrop
    length_penalty mask_token_id max_length min_length mlp_dropout model_max_length model_name name name_or_path
    no_repeat_ngram_size num_beam_groups num_beams num_labels num_return_sequences output_attentions
    output_hidden_states output_past output_scores pad_token_id pooler_fc_size pooler_num_attention_heads
    pooler_num_fc_layers pooler_size_per_head pooler_type prefix problem_type reference_compile
    remove_invalid_values repad_logits_with_grad repetition_penalty return_dict return_dict_in_generate
    sentence_transformers sep_token_id sparse_pred_ignore_index sparse_prediction summary_type suppress_tokens
    task_specific_params temperature tf_legacy_loss tie_encoder_decoder tie_word_embeddings tokenizer_class top_k
    top_p torch_dtype torchscript transformers_version typical_p unk_token_id use_bfloat16 use_cache use_flash_attn
    use_return_dict xla_device
"""
# Followed by every builder, or refused by it with a reason.
_SHARED = """model_type hidden_size num_hidden_layers num_attention_heads intermediate_size vocab_size
    max_position_embeddings"""
# Another computation unless they have these values.
_OFF: dict[str, tuple[Any, ...]] = {
    "is_decoder": (False, None),
    "is_encoder_decoder": (False, None),
    "add_cross_attention": (False, None),
    "is_causal": (False, None),
    "causal_mask": (False, None),
    "pruned_heads": ({}, None),
}


def require_known(document: Mapping[str, Any], where: str, followed: str, ignored: Collection[str] = ()) -> None:
    """Raise ExportError that names every key whose effect on rows is not known, and every one that changes them.

    followed  the family's own keys, white space between them
    ignored   keys that somebody has said to change nothing

    A key whose value is null or empty says nothing.
    """
    known = {*_HARMLESS.split(), *_SHARED.split(), *followed.split(), *ignored}
    unknown = [
        f"{key} {value!r:.80}"
        for key, value in document.items()
        if key not in known and key not in _OFF and value is not None and value not in ({}, [], "")
    ]
    if unknown:
        raise ExportError(
            f"{where}: {'; '.join(unknown)}: unknown, so rows could differ from those of the model. If it changes none "
            "(training, names), say so: --ignore-config-key KEY"
        )
    changed = [f"{key} {document[key]!r:.80}" for key, off in _OFF.items() if document.get(key) not in off]
    if changed and not {one.split()[0] for one in changed} <= set(ignored):
        raise ExportError(f"{where}: {'; '.join(changed)}: another computation than this exporter's builders write")
