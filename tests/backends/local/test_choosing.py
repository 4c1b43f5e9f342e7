"""Which sampling is really used: what is said, then the model's own, then neutral values."""

import pytest

from qiao.backends.local.choosing import Abilities, effective, generation_settings, own_template, template_variables
from qiao.backends.local.failures import EngineError
from qiao.workbench.sampling import Sampling

PLAIN = Abilities({}, 8192)
QWEN = Abilities(
    {"do_sample": True, "temperature": 0.6, "top_p": 0.95, "top_k": 20, "repetition_penalty": 1.05},
    32768,
    can_switch_thinking=True,
    thinks_by_default=True,
)


def test_neutral_where_nothing_is_known() -> None:
    used = effective(Sampling(), PLAIN, 10, thinks=False)
    assert (used.temperature, used.top_p, used.top_k, used.min_p) == (1.0, 1.0, 0, 0.0)
    assert (used.repetition_penalty, used.presence_penalty, used.frequency_penalty) == (1.0, 0.0, 0.0)
    assert used.max_tokens == 2048
    assert used.seed is not None
    assert used.n is used.logprobs is used.thinking is None


def test_the_models_own_and_what_is_said_over_it() -> None:
    used = effective(Sampling(top_p=0.5, seed=3), QWEN, 10, thinks=True)
    assert (used.temperature, used.top_p, used.top_k, used.repetition_penalty) == (0.6, 0.5, 20, 1.05)
    assert used.thinking is True
    assert used.seed == 3
    assert used.max_tokens == 8192


def test_a_model_that_is_meant_to_be_greedy_is() -> None:
    assert effective(Sampling(), Abilities({"do_sample": False}, None), 10, thinks=False).temperature == 0


def test_greedy_takes_no_defaults_of_sampling() -> None:
    used = effective(Sampling(temperature=0), QWEN, 10, thinks=False)
    assert (used.top_p, used.top_k) == (1.0, 0)
    settings = generation_settings(used)
    assert settings["do_sample"] is False
    assert settings["temperature"] == 1.0


@pytest.mark.parametrize(("asked", "prompt", "expected"), [(100, 10, 100), (9000, 10, 8182), (None, 8000, 192)])
def test_max_tokens_are_held_within_the_context(asked: int | None, prompt: int, expected: int) -> None:
    assert effective(Sampling(max_tokens=asked), PLAIN, prompt, thinks=False).max_tokens == expected


@pytest.mark.parametrize("name", ["temperature", "num_beams", "max_new_tokens", "_private"])
def test_extra_may_not_have_what_breaks_streaming_or_has_a_name_of_its_own(name: str) -> None:
    with pytest.raises(EngineError) as error:
        effective(Sampling(extra={name: 2}), PLAIN, 10, thinks=False)
    assert name in str(error.value)


def test_extra_goes_to_the_engine_and_the_templates_part_to_the_template() -> None:
    asked = Sampling(extra={"typical_p": 0.9, "chat_template_kwargs": {"effort": "low"}})
    settings = generation_settings(effective(asked, PLAIN, 10, thinks=False))
    assert settings["typical_p"] == 0.9
    assert "chat_template_kwargs" not in settings
    assert template_variables(asked) == {"effort": "low"}
    with pytest.raises(EngineError):
        template_variables(Sampling(extra={"chat_template_kwargs": "low"}))


def test_another_template_and_tools_make_the_prompt_and_are_nothing_to_generate_by() -> None:
    tools = [{"type": "function", "function": {"name": "weather"}}]
    asked = Sampling(extra={"chat_template": "{{ messages }}", "tools": tools})
    settings = generation_settings(effective(asked, PLAIN, 10, thinks=False))
    assert not {"chat_template", "tools"} & set(settings)
    assert own_template(asked) == "{{ messages }}"
    assert template_variables(asked) == {"tools": tools}
    with pytest.raises(EngineError):
        own_template(Sampling(extra={"chat_template": 1}))
